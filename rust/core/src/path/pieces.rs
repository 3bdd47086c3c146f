//! Strokes in heights, thinned and cut where they jump.

use std::ops::Range;

use super::units::{REACH, STEP};
use super::vertex::Vertex;

/// Points closer than this to the last one kept are dropped, in heights: half a step, below which there is only noise
/// of the pen, and which a pen of a higher rate would give more of.
const THINNED: f64 = 0.06;

/// A dot that is farther than this from all other ink, in heights, is stray: where the pen was put down, not a mark of
/// the text. The last dot of an ellipsis is some 2 from its word.
const STRAY: f64 = 3.0;

/// Steps of the shortest piece, so that a dot is more than a moment between two lifts.
const MIN_STEPS: usize = 2;

/// All pieces of a row, in memory that is reused.
#[derive(Clone, Debug, Default)]
pub struct Pieces {
    /// The vertices that were kept, each with the distance to the one before.
    vertices: Vec<(Vertex, f64)>,
    pieces: Vec<Cut>,
}

/// Where a piece is: its stroke, its vertices, and its length.
#[derive(Clone, Debug)]
struct Cut {
    stroke: usize,
    vertices: Range<usize>,
    length: f64,
}

/// Ink without a jump.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    pub stroke: usize,
    /// At least one; the first's distance does not count.
    vertices: &'a [(Vertex, f64)],
    length: f64,
}

impl Pieces {
    /// Replaces the pieces by those of a row's strokes, each with its number and the end of its vertices.
    pub fn cut(&mut self, vertices: &[Vertex], strokes: &[(usize, usize)]) {
        self.vertices.clear();
        self.pieces.clear();
        let mut first = 0;
        for &(number, end) in strokes {
            self.cut_stroke(number, &vertices[first..end]);
            first = end;
        }
    }

    /// Keeps the first vertex, each that is at least `THINNED` from the last one kept, and the last.
    fn cut_stroke(&mut self, number: usize, stroke: &[Vertex]) {
        let Some((&start, rest)) = stroke.split_first() else { return };
        self.vertices.push((start, 0.0));
        let (mut first, mut kept, mut length) = (self.vertices.len() - 1, start, 0.0);
        for (index, &vertex) in rest.iter().enumerate() {
            let distance = kept.distance(vertex);
            if distance >= THINNED || index + 1 == rest.len() {
                if distance > REACH {
                    let end = self.vertices.len();
                    self.pieces.push(Cut { stroke: number, vertices: first..end, length });
                    (first, length) = (end, 0.0);
                } else {
                    length += distance;
                }
                self.vertices.push((vertex, distance));
                kept = vertex;
            }
        }
        self.pieces.push(Cut { stroke: number, vertices: first..self.vertices.len(), length });
    }

    /// Leaves out dots that are more than `STRAY` from all that is no dot. Where they are most of the row, they stay.
    pub fn drop_stray_dots(&mut self) {
        let is_stray = |index: usize| {
            let dot = self.vertices[self.pieces[index].vertices.start].0;
            let is_near = |ink: &Cut| {
                !ink.is_dot()
                    && self.vertices[ink.vertices.clone()].iter().any(|(vertex, _)| dot.distance(*vertex) <= STRAY)
            };
            // What was written just before is most likely near.
            let (before, after) = self.pieces.split_at(index);
            !before.iter().rev().chain(after).any(is_near)
        };
        let dots = (0..self.pieces.len()).filter(|&index| self.pieces[index].is_dot());
        let stray: Vec<usize> = dots.filter(|&index| is_stray(index)).collect();
        if 2 * stray.len() <= self.pieces.len() {
            for index in stray.into_iter().rev() {
                self.pieces.remove(index);
            }
        }
    }

    /// Number of samples: the steps of each piece, and the lifts between them.
    pub fn samples(&self) -> usize {
        self.pieces.iter().map(|piece| steps(piece.length)).sum::<usize>() + self.pieces.len().saturating_sub(1)
    }

    /// The pieces, in order.
    pub fn iter(&self) -> impl Iterator<Item = Piece<'_>> {
        self.pieces.iter().map(|piece| Piece {
            stroke: piece.stroke,
            vertices: &self.vertices[piece.vertices.clone()],
            length: piece.length,
        })
    }
}

impl Cut {
    /// Whether it is as short as any.
    fn is_dot(&self) -> bool {
        steps(self.length) == MIN_STEPS
    }
}

impl Piece<'_> {
    pub fn first(&self) -> Vertex {
        self.vertices[0].0
    }

    pub fn last(&self) -> Vertex {
        self.vertices[self.vertices.len() - 1].0
    }

    /// Divides the piece into steps of equal length along the ink, and calls `step` with the ends of each.
    pub fn divide(&self, mut step: impl FnMut(Vertex, Vertex)) {
        let count = steps(self.length);
        let size = self.length / count as f64;
        let (mut before, mut number, mut from) = (0.0, 1, self.first());
        for pair in self.vertices.windows(2) {
            let ((start, _), (end, length)) = (pair[0], pair[1]);
            while length > 0.0 && number < count && number as f64 * size <= before + length {
                let to = start.towards(end, (number as f64 * size - before) / length);
                step(from, to);
                (from, number) = (to, number + 1);
            }
            before += length;
        }
        // By rounding, or in a dot, nothing is left of the last ones.
        for _ in number..=count {
            step(from, self.last());
            from = self.last();
        }
    }
}

/// Number of equal steps that ink of a length is divided into.
fn steps(length: f64) -> usize {
    ((length / STEP + 0.5).floor() as usize).max(MIN_STEPS)
}
