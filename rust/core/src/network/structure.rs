//! Which convolutions a network has, and what each takes in.

use crate::canvas::SIDE;

/// A convolution of stride 1 or 2 that keeps or halves the side of its input: 3x3 with padding 1, or 1x1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Channels of the input.
    pub inputs: usize,
    /// Channels that the planes of the input store. Those of the picture are not padded.
    pub stored_inputs: usize,
    /// Channels of the output.
    pub outputs: usize,
    /// 3 or 1.
    pub kernel: usize,
    /// 1 or 2.
    pub stride: usize,
}

/// Channels as planes store them: 4, or a multiple of 8.
pub fn padded(channels: usize) -> usize {
    if channels <= 4 { 4 } else { channels.next_multiple_of(8) }
}

impl Shape {
    /// Channels that the planes of the output store.
    pub fn stored_outputs(self) -> usize {
        padded(self.outputs)
    }

    /// Number of weights, [outputs][kernel][kernel][inputs].
    pub fn weights(self) -> usize {
        self.outputs * self.kernel * self.kernel * self.inputs
    }
}

/// A convolution and its place in the network.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    /// The convolution.
    pub shape: Shape,
    /// Side of its output.
    pub side: usize,
    /// What it takes in: 0 is the picture, n + 1 the output of unit n.
    pub input: usize,
    /// Where its sums go, numbered in the same way: its own output or, for a projection, the output of its block.
    pub output: usize,
}

impl Unit {
    /// Whether it is the projection of a block, the only 1x1 convolution.
    pub fn is_projection(self) -> bool {
        self.shape.kernel == 1
    }
}

/// Two 3x3 convolutions, the first of stride 2, with a shortcut from the block's input to its output.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// Number of the unit of stride 2.
    pub first: usize,
    /// Number of the unit of stride 1.
    pub second: usize,
    /// Number of the 1x1 convolution of stride 2 of a projection shortcut. `None` for an identity shortcut, which takes
    /// every second pixel and adds nothing to new channels.
    pub projection: Option<usize>,
}

/// The number of the first unit.
pub const STEM: usize = 0;

/// The convolutions of a network.
#[derive(Clone, Debug)]
pub struct Structure {
    /// The stem, then for each block the first, the second and, if it has one, the projection.
    pub units: Vec<Unit>,
    /// The blocks, in order. Each halves the picture.
    pub blocks: Vec<Block>,
}

impl Structure {
    /// A network with these channels: `stem` and one number for each of the `blocks`.
    pub fn new(stem: usize, blocks: &[usize], projection: bool) -> Self {
        let mut side = SIDE / 2;
        let shape = Shape { inputs: 1, stored_inputs: 1, outputs: stem, kernel: 3, stride: 2 };
        let mut units = vec![Unit { shape, side, input: 0, output: 1 }];
        let (mut inputs, mut input) = (stem, 1);
        let block = |&outputs: &usize| {
            let halving = Shape { inputs, stored_inputs: padded(inputs), outputs, kernel: 3, stride: 2 };
            let keeping = Shape { inputs: outputs, stored_inputs: padded(outputs), stride: 1, ..halving };
            let (first, second) = (units.len(), units.len() + 1);
            side = side.div_ceil(2);
            units.push(Unit { shape: halving, side, input, output: first + 1 });
            units.push(Unit { shape: keeping, side, input: first + 1, output: second + 1 });
            if projection {
                units.push(Unit { shape: Shape { kernel: 1, ..halving }, side, input, output: second + 1 });
            }
            (inputs, input) = (outputs, second + 1);
            Block { first, second, projection: projection.then_some(second + 1) }
        };
        let blocks = blocks.iter().map(block).collect();
        Structure { units, blocks }
    }

    /// The number of the last output, whose average the head takes in.
    pub fn last_output(&self) -> usize {
        self.blocks.last().map_or(STEM + 1, |block| block.second + 1)
    }

    /// Channels of the last output.
    pub fn last_channels(&self) -> usize {
        self.units[self.last_output() - 1].shape.outputs
    }

    /// What a unit is called in error messages.
    pub fn name(&self, unit: usize) -> String {
        let in_block = self.blocks.iter().enumerate().find_map(|(index, block)| {
            let parts = [Some(block.first), Some(block.second), block.projection];
            let part = parts.iter().position(|&part| part == Some(unit))?;
            Some(format!("block {index}, {}", ["first convolution", "second convolution", "projection"][part]))
        });
        in_block.unwrap_or_else(|| "stem".into())
    }
}
