//! The numbers of a network, and whether they fit together.

/// How a block's input is added to its output.
#[derive(Clone, Debug)]
pub enum Shortcut {
    /// Every second pixel; new channels get nothing.
    Identity,
    /// A 1x1 convolution of stride 2, with weights [outputs][inputs] and a bias [outputs].
    Projection(Vec<f32>, Vec<f32>),
}

/// Two 3x3 convolutions, the first of stride 2, and a shortcut around them. Weights are [outputs][3][3][inputs].
#[derive(Clone, Debug)]
pub struct Block {
    /// Channels of the output.
    pub outputs: usize,
    /// Weights and bias of the convolution of stride 2.
    pub first: (Vec<f32>, Vec<f32>),
    /// Weights and bias of the convolution of stride 1.
    pub second: (Vec<f32>, Vec<f32>),
    /// The shortcut.
    pub shortcut: Shortcut,
}

/// The numbers of a network whose batch norm has been folded into its convolutions.
#[derive(Clone, Debug)]
pub struct Network {
    /// Channels of the stem.
    pub channels: usize,
    /// Weights [channels][3][3][1] and bias of the stem, a convolution of stride 2.
    pub stem: (Vec<f32>, Vec<f32>),
    /// The blocks, each of which halves the picture.
    pub blocks: Vec<Block>,
    /// Weights of the linear unit on the average of the last block's channels.
    pub head: Vec<f32>,
    /// Bias of the linear unit.
    pub head_bias: f32,
}

/// A network whose tensors do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{tensor}: expected {expected} numbers, found {found}")]
pub struct NetworkError {
    tensor: String,
    expected: usize,
    found: usize,
}

fn expect(tensor: String, values: &[f32], expected: usize) -> Result<(), NetworkError> {
    if values.len() == expected { Ok(()) } else { Err(NetworkError { tensor, expected, found: values.len() }) }
}

impl Network {
    /// Makes sure that every tensor has the length that the channels ask for.
    pub(super) fn check(&self) -> Result<(), NetworkError> {
        let layer = |name: String, (weights, bias): &(Vec<f32>, Vec<f32>), taps, outputs| {
            expect(format!("{name} weights"), weights, taps * outputs)?;
            expect(format!("{name} bias"), bias, outputs)
        };
        layer("stem".into(), &self.stem, 9, self.channels)?;
        let mut inputs = self.channels;
        for (index, block) in self.blocks.iter().enumerate() {
            let outputs = block.outputs;
            layer(format!("block {index}, first convolution"), &block.first, 9 * inputs, outputs)?;
            layer(format!("block {index}, second convolution"), &block.second, 9 * outputs, outputs)?;
            if let Shortcut::Projection(weights, bias) = &block.shortcut {
                expect(format!("block {index}, projection weights"), weights, inputs * outputs)?;
                expect(format!("block {index}, projection bias"), bias, outputs)?;
            }
            inputs = outputs;
        }
        expect("head".into(), &self.head, inputs)
    }
}
