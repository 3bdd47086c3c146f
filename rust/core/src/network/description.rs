//! The numbers of a network, and whether they fit its structure.

use super::structure::Structure;

/// The numbers of a network whose batch norm has been folded into its convolutions.
#[derive(Clone, Debug)]
pub struct Network {
    /// The convolutions.
    pub structure: Structure,
    /// Weights [outputs][kernel][kernel][inputs] and bias [outputs] of each unit of the structure.
    pub layers: Vec<(Vec<f32>, Vec<f32>)>,
    /// Weights of the linear unit on the average of the last block's channels.
    pub head: Vec<f32>,
    /// Bias of the linear unit.
    pub head_bias: f32,
}

/// A network whose tensors do not fit its structure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{tensor}: expected {expected} numbers, found {found}")]
pub struct NetworkError {
    tensor: String,
    expected: usize,
    found: usize,
}

impl Network {
    /// Makes sure that every tensor has the length that the structure asks for.
    pub(super) fn check(&self) -> Result<(), NetworkError> {
        let expect = |tensor: &str, found, expected| {
            if found == expected { Ok(()) } else { Err(NetworkError { tensor: tensor.into(), expected, found }) }
        };
        let units = &self.structure.units;
        for (unit, (place, (weights, bias))) in units.iter().zip(&self.layers).enumerate() {
            let name = self.structure.name(unit);
            if place.shape.outputs == 0 {
                return Err(NetworkError { tensor: format!("{name} channels"), expected: 1, found: 0 });
            }
            expect(&format!("{name} weights"), weights.len(), place.shape.weights())?;
            expect(&format!("{name} bias"), bias.len(), place.shape.outputs)?;
        }
        expect("layers", self.layers.len(), units.len())?;
        expect("head", self.head.len(), self.structure.last_channels())
    }
}
