//! The feature maps of a picture, and their gradients.

use penpal_core::SIDE;
use penpal_core::network::plane::Plane;
use penpal_core::network::structure::Structure;

/// The feature maps of one picture and their gradients.
pub struct Maps {
    /// The sums of each unit's convolution. The backward pass replaces them by their gradient.
    pub sums: Vec<Plane>,
    /// The picture, then the output of each unit. The output of a projection is empty.
    pub outputs: Vec<Plane>,
    /// The gradient of each output except the picture.
    pub gradients: Vec<Plane>,
}

impl Maps {
    pub fn new(structure: &Structure) -> Self {
        let mut maps = Maps { sums: Vec::new(), outputs: vec![Plane::new(SIDE, 1)], gradients: vec![Plane::new(0, 1)] };
        for (number, unit) in structure.units.iter().enumerate() {
            let channels = unit.shape.stored_outputs();
            let own = if unit.output == number + 1 { unit.side } else { 0 };
            maps.sums.push(Plane::new(unit.side, channels));
            maps.outputs.push(Plane::new(own, channels));
            maps.gradients.push(Plane::new(own, channels));
        }
        maps
    }

    /// Every channel's average over the pixels of an output.
    pub fn average(&self, output: usize) -> Vec<f32> {
        let plane = &self.outputs[output];
        let mut sums = vec![0.0; plane.channels];
        for row in 0..plane.side {
            for pixel in plane.pixels(row, 0, plane.side).chunks_exact(plane.channels) {
                sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += f64::from(*value));
            }
        }
        sums.into_iter().map(|sum| (sum / (plane.side * plane.side) as f64) as f32).collect()
    }

    /// Sets the gradient of an output from the gradient of its average.
    pub fn set_gradient_by_average(&mut self, output: usize, by_average: &[f32]) {
        let plane = &mut self.gradients[output];
        let (side, channels) = (plane.side, plane.channels);
        let pixels = (side * side) as f32;
        for row in 0..side {
            for pixel in plane.pixels_mut(row, 0, side).chunks_exact_mut(channels) {
                pixel.iter_mut().zip(by_average).for_each(|(gradient, value)| *gradient = value / pixels);
            }
        }
    }

    /// Sets an output to the identity shortcut from another: every second pixel, and 0 in new channels.
    pub fn set_shortcut(&mut self, from: usize, to: usize) {
        let [from, to] = self.outputs.get_disjoint_mut([from, to]).expect("a block's input and output differ");
        let kept = from.channels.min(to.channels);
        for row in 0..to.side {
            for column in 0..to.side {
                let pixel = to.pixels_mut(row, column, 1);
                pixel[..kept].copy_from_slice(&from.pixels(2 * row, 2 * column, 1)[..kept]);
                pixel[kept..].fill(0.0);
            }
        }
    }

    /// Adds the gradient of a block's output to the gradient of its input, through the identity shortcut.
    pub fn add_shortcut_gradient(&mut self, input: usize, output: usize) {
        let [to, from] = self.gradients.get_disjoint_mut([input, output]).expect("a block's input and output differ");
        for row in 0..from.side {
            for column in 0..from.side {
                let gradient = from.pixels(row, column, 1).iter();
                let pixel = to.pixels_mut(2 * row, 2 * column, 1);
                pixel.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += value);
            }
        }
    }
}
