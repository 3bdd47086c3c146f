//! The feature maps of a picture, and their gradients.

use crate::feature_map::FeatureMap;
use crate::shared_rows::{SharedRows, Window};
use penpal_core::SIDE;
use penpal_core::network::structure::{Structure, Unit};

/// The feature maps of one picture and their gradients. Of equal rows one is stored.
pub struct Maps {
    /// Which rows of the picture and of each output are equal. A projection has those of its block's output.
    pub shared: Vec<SharedRows>,
    /// The sums of each unit's convolution. The backward pass replaces them by their gradient.
    pub sums: Vec<FeatureMap>,
    /// The picture, then the output of each unit. The output of a projection is empty.
    pub outputs: Vec<FeatureMap>,
    /// The gradient of each output except the picture. That of a stored row is the sum over all rows that equal it.
    pub gradients: Vec<FeatureMap>,
}

impl Maps {
    pub fn new(structure: &Structure) -> Self {
        let mut maps = Maps {
            shared: vec![SharedRows::default(); structure.units.len() + 1],
            sums: Vec::new(),
            outputs: vec![FeatureMap::new(SIDE, 1)],
            gradients: vec![FeatureMap::default()],
        };
        for unit in &structure.units {
            let map = || FeatureMap::new(unit.side, unit.shape.stored_outputs());
            maps.sums.push(map());
            maps.outputs.push(map());
            maps.gradients.push(map());
        }
        maps
    }

    /// Takes in a picture, and makes room for what follows from it.
    pub fn set_picture(&mut self, structure: &Structure, picture: &[f32]) {
        self.shared[0] = SharedRows::of_picture(picture);
        self.outputs[0].set_rows(self.shared[0].first().len());
        for (stored, row) in self.shared[0].first().enumerate() {
            self.outputs[0].pixels_mut(stored).copy_from_slice(&picture[row * SIDE..][..SIDE]);
        }
        for (number, unit) in structure.units.iter().enumerate() {
            let has_output = !unit.is_projection();
            if has_output {
                self.shared[unit.output] = self.shared[unit.input].after(unit.shape.stride);
            }
            let rows = self.shared[unit.output].first().len();
            self.sums[number].set_rows(rows);
            if has_output {
                self.outputs[unit.output].set_rows(rows);
                self.gradients[unit.output].set_rows(rows);
            }
        }
    }

    /// The windows of a unit's stored sums in its input.
    pub fn windows(&self, unit: &Unit) -> Vec<Window> {
        self.shared[unit.input].windows(&self.shared[unit.output], unit.shape.stride)
    }

    /// Every channel's average over the pixels of an output.
    pub fn average(&self, output: usize) -> Vec<f32> {
        let map = &self.outputs[output];
        let mut sums = vec![0.0; map.channels];
        for (row, count) in self.shared[output].counts().enumerate() {
            for pixel in map.pixels(row).chunks_exact(map.channels) {
                sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += f64::from(count * value));
            }
        }
        sums.into_iter().map(|sum| (sum / (map.columns * map.columns) as f64) as f32).collect()
    }

    /// Sets the gradient of an output from the gradient of its average.
    pub fn set_gradient_by_average(&mut self, output: usize, by_average: &[f32]) {
        let map = &mut self.gradients[output];
        let (pixels, channels) = ((map.columns * map.columns) as f32, map.channels);
        for (row, count) in self.shared[output].counts().enumerate() {
            for pixel in map.pixels_mut(row).chunks_exact_mut(channels) {
                pixel.iter_mut().zip(by_average).for_each(|(gradient, value)| *gradient = count * value / pixels);
            }
        }
    }

    /// Sets an output to the identity shortcut from another: every second pixel, and 0 in new channels.
    pub fn set_shortcut(&mut self, from: usize, to: usize) {
        let windows = self.shared[from].windows(&self.shared[to], 2);
        let [from, to] = self.outputs.get_disjoint_mut([from, to]).expect("a block's input and output differ");
        let (kept, channels) = (from.channels.min(to.channels), to.channels);
        for (row, window) in windows.iter().enumerate() {
            let every_second = from.pixels(middle(window)).chunks_exact(from.channels).step_by(2);
            for (to, from) in to.pixels_mut(row).chunks_exact_mut(channels).zip(every_second) {
                to[..kept].copy_from_slice(&from[..kept]);
                to[kept..].fill(0.0);
            }
        }
    }

    /// Adds the gradient of a block's output to the gradient of its input, through the identity shortcut.
    pub fn add_shortcut_gradient(&mut self, input: usize, output: usize) {
        let windows = self.shared[input].windows(&self.shared[output], 2);
        let [to, from] = self.gradients.get_disjoint_mut([input, output]).expect("a block's input and output differ");
        let channels = to.channels;
        for (row, window) in windows.iter().enumerate() {
            let every_second = to.pixels_mut(middle(window)).chunks_exact_mut(channels).step_by(2);
            for (to, from) in every_second.zip(from.pixels(row).chunks_exact(from.channels)) {
                to.iter_mut().zip(from).for_each(|(sum, value)| *sum += value);
            }
        }
    }
}

/// The row that a 1x1 convolution takes in.
fn middle(window: &Window) -> usize {
    window[1].expect("the middle of a window lies in its input")
}
