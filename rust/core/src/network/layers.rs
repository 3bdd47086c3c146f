//! The layers of the network and their activations.

use fearless_simd::Simd;

use super::convolution::{Convolution, Place, Shortcut, for_neighbours, in_blocks};
use super::description::Network;
use super::plane::Plane;
use super::profile::Clock;
use super::structure::{Block, STEM, Shape, Structure, Unit};
use super::winograd::{self, Winograd};
use crate::aligned::{Aligned, with_padded_inputs};

/// The convolutions, arranged for the registers.
pub struct Layers {
    stem: Convolution,
    blocks: Vec<BlockLayers>,
}

struct BlockLayers {
    first: Convolution,
    second: SecondConvolution,
    /// Weights of the projection in the blocks of `second`, which has its bias.
    projection: Option<Aligned>,
}

/// The convolution of stride 1 of a block.
enum SecondConvolution {
    Direct(Convolution),
    Winograd(Winograd),
}

/// The outputs of the stem and of each block's two convolutions.
#[derive(Clone)]
pub struct Activations {
    stem: Plane,
    blocks: Vec<[Plane; 2]>,
}

/// The activations of a blank canvas.
pub struct Blank {
    pub activations: Activations,
    /// Of each plane. Far from the border all rows are equal: the one that is restored from stays in the cache.
    equal_rows: Vec<Vec<usize>>,
}

/// The working memory of one thread, besides activations.
pub struct Scratch {
    places: Vec<Place>,
    /// One for each block, empty if the block does not need it.
    winograd: Vec<winograd::Scratch>,
}

impl Layers {
    /// Arranges a network whose tensors fit its structure for vectors of `lanes` numbers.
    pub fn new(network: &Network, lanes: usize) -> Self {
        let stem = direct(network, STEM, lanes);
        let blocks = network.structure.blocks.iter().map(|block| BlockLayers::new(network, block, lanes)).collect();
        Layers { stem, blocks }
    }

    /// Working memory for these activations.
    pub fn scratch(&self, activations: &Activations) -> Scratch {
        let winograd = self.blocks.iter().zip(&activations.blocks).map(|(block, [_, output])| match &block.second {
            SecondConvolution::Direct(_) => winograd::Scratch::default(),
            SecondConvolution::Winograd(layer) => layer.scratch(output.side),
        });
        Scratch { places: Vec::new(), winograd: winograd.collect() }
    }

    /// Recomputes what the changes of the picture reach.
    #[inline(always)]
    pub fn run<S: Simd>(
        &self,
        simd: S,
        picture: &Plane,
        activations: &mut Activations,
        scratch: &mut Scratch,
        clock: &mut Clock,
    ) {
        let Scratch { places, winograd } = scratch;
        clock.lap(self.stem.apply(simd, picture, &mut activations.stem, Shortcut::None, places));
        let mut input = &activations.stem;
        let planes = activations.blocks.iter_mut().zip(winograd);
        for (block, ([middle, output], winograd)) in self.blocks.iter().zip(planes) {
            clock.lap(block.first.apply(simd, input, middle, Shortcut::None, places));
            let shortcut = match &block.projection {
                Some(weights) => Shortcut::Projection(input, weights),
                None => Shortcut::Identity(input),
            };
            clock.lap(match &block.second {
                SecondConvolution::Direct(layer) => layer.apply(simd, middle, output, shortcut, places),
                SecondConvolution::Winograd(layer) => layer.apply(simd, middle, output, shortcut, winograd),
            });
            input = output;
        }
    }
}

fn direct(network: &Network, unit: usize, lanes: usize) -> Convolution {
    let (weights, bias) = &network.layers[unit];
    Convolution::new(network.structure.units[unit], weights, bias, lanes)
}

impl BlockLayers {
    fn new(network: &Network, block: &Block, lanes: usize) -> Self {
        let Unit { shape, side, .. } = network.structure.units[block.second];
        let (weights, mut bias) = network.layers[block.second].clone();
        if let Some(unit) = block.projection {
            bias.iter_mut().zip(&network.layers[unit].1).for_each(|(bias, projected)| *bias += projected);
        }
        let second = if Winograd::suits(shape.outputs, side) {
            SecondConvolution::Winograd(Winograd::new(&weights, &bias, lanes))
        } else {
            SecondConvolution::Direct(Convolution::new(network.structure.units[block.second], &weights, &bias, lanes))
        };
        let projection = match block.projection {
            Some(unit) => Some(network.layers[unit].0.clone()),
            // Neighbouring pixels that are computed as one have no other shortcuts.
            None if second.width() > 1 => Some(identity(network.structure.units[block.first].shape)),
            None => None,
        };
        let projection = projection.map(|weights| {
            let Shape { inputs, stored_inputs, .. } = network.structure.units[block.first].shape;
            let weights = with_padded_inputs(&weights, inputs, stored_inputs);
            second.arranged(weights, stored_inputs, shape.stored_outputs())
        });
        BlockLayers { first: direct(network, block.first, lanes), second, projection }
    }
}

/// Weights [outputs][inputs] of a 1x1 convolution that changes nothing and adds channels of 0.
fn identity(shape: Shape) -> Vec<f32> {
    let mut weights = vec![0.0; shape.outputs * shape.inputs];
    weights.iter_mut().step_by(shape.inputs + 1).take(shape.inputs.min(shape.outputs)).for_each(|weight| *weight = 1.0);
    weights
}

impl SecondConvolution {
    /// Number of neighbouring pixels that are computed as one.
    fn width(&self) -> usize {
        match self {
            SecondConvolution::Direct(layer) => layer.width(),
            SecondConvolution::Winograd(_) => 1,
        }
    }

    /// Arranges the weights [outputs][inputs] of a projection that is added to this convolution's sums.
    fn arranged(&self, mut weights: Vec<f32>, inputs: usize, outputs: usize) -> Aligned {
        weights.resize(inputs * outputs, 0.0);
        let (weights, taps) = for_neighbours(weights, inputs, 2 * inputs, self.width());
        let (block, together) = match self {
            SecondConvolution::Direct(layer) => (layer.block(), layer.together()),
            SecondConvolution::Winograd(layer) => (layer.block(), 1),
        };
        Aligned::from(&in_blocks(&weights, taps, block, together)[..])
    }
}

impl Activations {
    /// Activations of 0.
    pub fn zeros(structure: &Structure) -> Self {
        let plane = |unit: usize| {
            let Unit { shape, side, .. } = structure.units[unit];
            Plane::new(side, shape.stored_outputs())
        };
        let blocks = structure.blocks.iter().map(|block| [block.first, block.second].map(plane)).collect();
        Activations { stem: plane(STEM), blocks }
    }

    /// Number of blocks.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// The outputs of the last layer.
    pub fn last(&self) -> &Plane {
        self.blocks.last().map_or(&self.stem, |[_, output]| output)
    }

    fn planes(&self) -> impl Iterator<Item = &Plane> {
        std::iter::once(&self.stem).chain(self.blocks.as_flattened())
    }

    /// Restores what changed.
    pub fn restore(&mut self, blank: &Blank) {
        let planes = std::iter::once(&mut self.stem).chain(self.blocks.as_flattened_mut());
        for ((plane, blank), equal_rows) in planes.zip(blank.activations.planes()).zip(&blank.equal_rows) {
            plane.restore(blank, equal_rows);
        }
    }
}

impl From<Activations> for Blank {
    fn from(activations: Activations) -> Self {
        let equal_rows = activations.planes().map(Plane::equal_rows).collect();
        Blank { activations, equal_rows }
    }
}
