//! The numbers of a reader, and whether they fit together.

use crate::path::CHANNELS;

/// Maximum of channels, letters, taps, frames between taps: beyond any reader, so that no product of them overflows.
const MAX_SIZE: usize = 4096;

/// A convolution over samples with zeros around them, as many frames as steps of the stride.
#[derive(Clone, Debug)]
pub struct Convolution {
    /// Samples that it sees, odd.
    pub kernel: usize,
    /// Samples that it moves on.
    pub stride: usize,
    /// Weights [outputs][kernel][inputs].
    pub weights: Vec<f32>,
    /// Bias [outputs].
    pub bias: Vec<f32>,
}

/// A depthwise convolution, a mix of the channels of each frame, and a shortcut around both.
#[derive(Clone, Debug)]
pub struct ReaderBlock {
    /// Frames from one tap of the kernel to the next.
    pub dilation: usize,
    /// Weights [channels][kernel] of the depthwise convolution, with an odd kernel.
    pub depthwise: Vec<f32>,
    /// Weights [channels][channels] of the mix, output by output.
    pub mix: Vec<f32>,
    /// Bias [channels] of the mix.
    pub bias: Vec<f32>,
}

/// The numbers of a reader whose batch norm has been folded into its convolutions.
#[derive(Clone, Debug)]
pub struct ReaderNetwork {
    /// Convolutions, each rectified; the first sees the samples of a path.
    pub stem: Vec<Convolution>,
    /// The blocks, which keep frames and channels.
    pub blocks: Vec<ReaderBlock>,
    /// Weights [outputs][channels] of the head; output 0 is the blank.
    pub head: Vec<f32>,
    /// Bias [outputs] of the head.
    pub head_bias: Vec<f32>,
}

/// A reader whose tensors do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReaderError {
    /// A tensor has another length than the sizes ask for.
    #[error("{tensor}: expected {expected} numbers, found {found}")]
    Tensor {
        /// Its name.
        tensor: String,
        /// The numbers that it should have.
        expected: usize,
        /// The numbers that it has.
        found: usize,
    },
    /// A size cannot be used.
    #[error("{name}: expected {expected}, found {found}")]
    Size {
        /// What it is the size of.
        name: String,
        /// Which sizes can be used.
        expected: &'static str,
        /// The size.
        found: usize,
    },
}

fn expect(tensor: String, values: &[f32], expected: usize) -> Result<(), ReaderError> {
    let found = values.len();
    if found == expected { Ok(()) } else { Err(ReaderError::Tensor { tensor, expected, found }) }
}

fn expect_size(name: String, found: usize, odd: bool) -> Result<(), ReaderError> {
    let expected = if odd { "an odd number up to 4096" } else { "1 to 4096" };
    let fits = (1..=MAX_SIZE).contains(&found) && (found % 2 == 1 || !odd);
    if fits { Ok(()) } else { Err(ReaderError::Size { name, expected, found }) }
}

impl ReaderNetwork {
    /// Makes sure that every tensor has the length that the sizes ask for.
    pub(super) fn check(&self) -> Result<(), ReaderError> {
        expect_size("layers of the stem".into(), self.stem.len(), false)?;
        let mut inputs = CHANNELS;
        for (index, layer) in self.stem.iter().enumerate() {
            let outputs = layer.bias.len();
            expect_size(format!("stem {index}, kernel"), layer.kernel, true)?;
            expect_size(format!("stem {index}, stride"), layer.stride, false)?;
            expect_size(format!("stem {index}, channels"), outputs, false)?;
            expect(format!("stem {index}, weights"), &layer.weights, outputs * layer.kernel * inputs)?;
            inputs = outputs;
        }
        for (index, block) in self.blocks.iter().enumerate() {
            let kernel = block.depthwise.len() / inputs;
            expect_size(format!("block {index}, kernel"), kernel, true)?;
            expect_size(format!("block {index}, dilation"), block.dilation, false)?;
            expect(format!("block {index}, depthwise weights"), &block.depthwise, kernel * inputs)?;
            expect(format!("block {index}, mix weights"), &block.mix, inputs * inputs)?;
            expect(format!("block {index}, mix bias"), &block.bias, inputs)?;
        }
        expect_size("outputs of the head".into(), self.head_bias.len(), false)?;
        expect("head weights".into(), &self.head, self.head_bias.len() * inputs)
    }
}
