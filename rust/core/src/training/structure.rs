//! Which convolutions a network has, and what they look at.

use crate::canvas::SIDE;
use crate::network::padded;

/// A convolution of stride 1 or 2 that keeps or halves the side of its input: 3x3 with padding 1, or 1x1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub inputs: usize,
    /// Channels of the planes that are its input: those of the picture are not padded.
    pub stored_inputs: usize,
    pub outputs: usize,
    /// 3 or 1.
    pub kernel: usize,
    /// 1 or 2.
    pub stride: usize,
}

impl Shape {
    /// Channels of the planes that are its output.
    pub fn stored_outputs(self) -> usize {
        padded(self.outputs)
    }

    /// Numbers of the weights.
    pub fn weights(self) -> usize {
        self.outputs * self.kernel * self.kernel * self.inputs
    }

    /// A weight of [outputs][kernel][kernel][inputs], and 0 for channels that only pad.
    pub fn weight(self, weights: &[f32], output: usize, row: usize, column: usize, input: usize) -> f32 {
        if output < self.outputs && input < self.inputs {
            weights[((output * self.kernel + row) * self.kernel + column) * self.inputs + input]
        } else {
            0.0
        }
    }
}

/// A convolution with batch norm, and its place in the network.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    pub shape: Shape,
    /// Side of its outputs.
    pub side: usize,
    /// What it looks at: 0 is the picture, n + 1 the outputs of unit n.
    pub input: usize,
    /// Where its normalized sums go, counted likewise: its own outputs, or of a projection those of its block.
    pub output: usize,
}

/// Two units and a shortcut around them, by their numbers.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    pub first: usize,
    pub second: usize,
    pub projection: Option<usize>,
}

/// The number of the first unit.
pub const STEM: usize = 0;

/// The units of a network: the stem, then of each block the first, the second and, if it has one, the projection.
pub struct Structure {
    pub units: Vec<Unit>,
    pub blocks: Vec<Block>,
}

impl Structure {
    /// A network of the given channels, of the stem and of each block; `None` if it has no block, so many that a picture
    /// comes down to one value, or loses channels in an identity shortcut.
    pub fn new(channels: &[usize], projection: bool) -> Option<Self> {
        let most = SIDE.trailing_zeros() as usize - 1;
        let kept = projection || channels.is_sorted();
        if !(2..=most).contains(&channels.len()) || channels.contains(&0) || !kept {
            return None;
        }
        let mut side = SIDE / 2;
        let stem = Shape { inputs: 1, stored_inputs: 1, outputs: channels[0], kernel: 3, stride: 2 };
        let mut structure =
            Structure { units: vec![Unit { shape: stem, side, input: 0, output: 1 }], blocks: Vec::new() };
        let mut input = 1;
        for pair in channels.windows(2) {
            let (inputs, outputs) = (pair[0], pair[1]);
            let halving = Shape { inputs, stored_inputs: padded(inputs), outputs, kernel: 3, stride: 2 };
            let keeping = Shape { inputs: outputs, stored_inputs: padded(outputs), stride: 1, ..halving };
            let first = structure.units.len();
            let second = first + 1;
            side /= 2;
            let units = &mut structure.units;
            units.push(Unit { shape: halving, side, input, output: first + 1 });
            units.push(Unit { shape: keeping, side, input: first + 1, output: second + 1 });
            if projection {
                units.push(Unit { shape: Shape { kernel: 1, ..halving }, side, input, output: second + 1 });
            }
            structure.blocks.push(Block { first, second, projection: projection.then_some(second + 1) });
            input = second + 1;
        }
        Some(structure)
    }
}
