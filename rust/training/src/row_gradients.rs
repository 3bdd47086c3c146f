//! Which rows of the gradient of a convolution's sums make up the gradient of each row of its input.

use crate::feature_map::FeatureMap;
use crate::shared_rows::Window;
use crate::windows::WindowRows;

/// For each row of an input and each row of the kernel the gradient of the sums that this kernel row takes from it.
pub struct RowGradients {
    places: Vec<[Place; 3]>,
    totals: Vec<Vec<f32>>,
}

/// Where a gradient lies.
#[derive(Clone, Copy)]
enum Place {
    Nowhere,
    Row(usize),
    /// Equal rows of the input are stored once. The gradients of all sums that take from them are added up.
    Total(usize),
}

impl RowGradients {
    /// From the windows of the stored sums, the gradient of these sums, and the number of stored rows of the input.
    pub fn new(windows: &[Window], by_sums: &FeatureMap, rows: usize) -> Self {
        let mut gradients = RowGradients { places: vec![[Place::Nowhere; 3]; rows], totals: Vec::new() };
        for (from, window) in windows.iter().enumerate() {
            for (below, row) in window.iter().enumerate() {
                if let &Some(row) = row {
                    gradients.add(by_sums, from, row, below);
                }
            }
        }
        gradients
    }

    /// Adds a row of the gradient of the sums to that of a row of the input.
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

    /// For each row of the input the gradients that the rows of the kernel meet.
    pub fn rows<'a>(&'a self, by_sums: &'a FeatureMap) -> Vec<WindowRows<'a>> {
        let row = |place| match place {
            Place::Nowhere => None,
            Place::Row(row) => Some(by_sums.row(row)),
            Place::Total(number) => Some(&self.totals[number][..]),
        };
        self.places.iter().map(|places| places.map(row)).collect()
    }
}
