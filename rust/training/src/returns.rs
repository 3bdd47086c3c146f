//! What goes back from the gradient of a convolution's sums to the rows of its input.

use crate::feature_map::FeatureMap;
use crate::shared_rows::Window;
use crate::windows::Met;

/// For each row of an input and each row of the kernel the gradients of the sums that the kernel's row takes from it.
pub struct Returns {
    places: Vec<[Place; 3]>,
    totals: Vec<Vec<f32>>,
}

/// Where the gradient lies.
#[derive(Clone, Copy)]
enum Place {
    Nowhere,
    Row(usize),
    /// Equal rows of the input are stored once. The gradients of all sums that take from them are added up.
    Total(usize),
}

impl Returns {
    /// From the windows of the stored sums, the gradient of these sums, and the number of stored rows of the input.
    pub fn new(windows: &[Window], by_sums: &FeatureMap, rows: usize) -> Self {
        let mut returns = Returns { places: vec![[Place::Nowhere; 3]; rows], totals: Vec::new() };
        for (from, window) in windows.iter().enumerate() {
            for (below, row) in window.iter().enumerate() {
                if let &Some(row) = row {
                    returns.add(by_sums, from, row, below);
                }
            }
        }
        returns
    }

    /// Adds a row of the gradient to what goes back to a row of the input.
    fn add(&mut self, by_sums: &FeatureMap, from: usize, row: usize, below: usize) {
        let place = &mut self.places[row][below];
        let number = match *place {
            Place::Nowhere => {
                *place = Place::Row(from);
                return;
            }
            Place::Row(first) => {
                self.totals.push(by_sums.row(first).to_vec());
                self.totals.len() - 1
            }
            Place::Total(number) => number,
        };
        *place = Place::Total(number);
        self.totals[number].iter_mut().zip(by_sums.row(from)).for_each(|(total, value)| *total += value);
    }

    /// The rows of the gradient that meet each row of the input.
    pub fn met<'a>(&'a self, by_sums: &'a FeatureMap) -> Vec<Met<'a>> {
        let row = |place| match place {
            Place::Nowhere => None,
            Place::Row(row) => Some(by_sums.row(row)),
            Place::Total(number) => Some(&self.totals[number][..]),
        };
        self.places.iter().map(|places| places.map(row)).collect()
    }
}
