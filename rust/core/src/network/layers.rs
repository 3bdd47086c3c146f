//! The layers of the network and their activations.

use fearless_simd::Simd;

use super::changes::Pixel;
use super::convolution::{Convolution, Shortcut, in_blocks, with_padded_inputs};
use super::description::Network;
use super::plane::Plane;
use super::profile::Clock;
use super::structure::{Block, STEM, Shape, Structure, Unit};
use super::winograd::{self, Winograd};
use crate::aligned::Aligned;

/// The convolutions, arranged for the registers.
pub struct Layers {
    stem: Convolution,
    blocks: Vec<BlockLayers>,
}

struct BlockLayers {
    first: Convolution,
    second: Second,
    /// Weights of the projection in the blocks of `second`, which has its bias.
    projection: Option<Aligned>,
}

/// A convolution of stride 1.
enum Second {
    Direct(Convolution),
    Winograd(Winograd),
}

/// The outputs of the stem and of each block's two convolutions.
#[derive(Clone)]
pub struct Activations {
    stem: Plane,
    blocks: Vec<[Plane; 2]>,
}

/// The working memory of one thread, besides activations.
pub struct Scratch {
    pixels: Vec<Pixel>,
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
            Second::Direct(_) => winograd::Scratch::default(),
            Second::Winograd(layer) => layer.scratch(output.side),
        });
        Scratch { pixels: Vec::new(), winograd: winograd.collect() }
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
        let Scratch { pixels, winograd } = scratch;
        clock.lap(self.stem.apply(simd, picture, &mut activations.stem, Shortcut::None, pixels));
        let mut input = &activations.stem;
        let planes = activations.blocks.iter_mut().zip(winograd);
        for (block, ([middle, output], winograd)) in self.blocks.iter().zip(planes) {
            clock.lap(block.first.apply(simd, input, middle, Shortcut::None, pixels));
            let shortcut = match &block.projection {
                Some(weights) => Shortcut::Projection(input, weights),
                None => Shortcut::Identity(input),
            };
            clock.lap(match &block.second {
                Second::Direct(layer) => layer.apply(simd, middle, output, shortcut, pixels),
                Second::Winograd(layer) => layer.apply(simd, middle, output, shortcut, winograd),
            });
            input = output;
        }
    }
}

fn direct(network: &Network, unit: usize, lanes: usize) -> Convolution {
    let (weights, bias) = &network.layers[unit];
    Convolution::new(network.structure.units[unit].shape, weights, bias, lanes)
}

impl BlockLayers {
    fn new(network: &Network, block: &Block, lanes: usize) -> Self {
        let Unit { shape, side, .. } = network.structure.units[block.second];
        let (weights, mut bias) = network.layers[block.second].clone();
        if let Some(unit) = block.projection {
            bias.iter_mut().zip(&network.layers[unit].1).for_each(|(bias, projected)| *bias += projected);
        }
        let second = if Winograd::suits(shape.outputs, side) {
            Second::Winograd(Winograd::new(&weights, &bias, lanes))
        } else {
            Second::Direct(Convolution::new(shape, &weights, &bias, lanes))
        };
        let projection = block.projection.map(|unit| {
            let Shape { inputs, stored_inputs, .. } = network.structure.units[unit].shape;
            let weights = with_padded_inputs(&network.layers[unit].0, inputs, stored_inputs);
            Aligned::from(&in_blocks(&weights, stored_inputs, second.block())[..])
        });
        BlockLayers { first: direct(network, block.first, lanes), second, projection }
    }
}

impl Second {
    /// Number of output channels that are computed together.
    fn block(&self) -> usize {
        match self {
            Second::Direct(layer) => layer.block(),
            Second::Winograd(layer) => layer.block(),
        }
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

    /// Restores what changed.
    pub fn restore(&mut self, blank: &Activations) {
        let planes = std::iter::once(&mut self.stem).chain(self.blocks.as_flattened_mut());
        let blank_planes = std::iter::once(&blank.stem).chain(blank.blocks.as_flattened());
        for (plane, blank) in planes.zip(blank_planes) {
            plane.restore(blank);
        }
    }
}
