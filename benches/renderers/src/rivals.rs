//! The other rasterizers, each called in its fastest way.

use std::ops::Range;

use penpal_core::canvas::CanvasPoints;
use penpal_core::{PIXELS, SIDE};
use tiny_skia::{FillRule, Mask, PathBuilder, Transform};
use vello_cpu::kurbo::{self, BezPath};
use vello_cpu::{Pixmap, RenderContext, Resources, color::palette::css};

/// Draws one row.
pub trait Rival {
    /// Draws the strokes, ranges of `points`, and overwrites what the canvas held before.
    fn draw(
        &mut self,
        points: &CanvasPoints,
        strokes: &mut dyn Iterator<Item = Range<usize>>,
        line_width: f32,
        canvas: &mut [f32],
    );
}

/// Strokes become an outline, filled into a mask of 8 bits per pixel.
pub struct TinySkia {
    mask: Mask,
}

impl Default for TinySkia {
    fn default() -> Self {
        TinySkia { mask: Mask::new(SIDE as u32, SIDE as u32).expect("a size above 0") }
    }
}

impl Rival for TinySkia {
    fn draw(
        &mut self,
        points: &CanvasPoints,
        strokes: &mut dyn Iterator<Item = Range<usize>>,
        line_width: f32,
        canvas: &mut [f32],
    ) {
        let mut path = PathBuilder::with_capacity(points.x.len(), points.x.len());
        for stroke in strokes.filter(|stroke| !stroke.is_empty()) {
            path.move_to(points.x[stroke.start], points.y[stroke.start]);
            stroke.for_each(|point| path.line_to(points.x[point], points.y[point]));
        }
        let stroke = tiny_skia::Stroke {
            width: line_width,
            line_cap: tiny_skia::LineCap::Round,
            line_join: tiny_skia::LineJoin::Round,
            ..Default::default()
        };
        self.mask.clear();
        if let Some(outline) = path.finish().and_then(|path| path.stroke(&stroke, 1.0)) {
            self.mask.fill_path(&outline, FillRule::Winding, true, Transform::identity());
        }
        for (pixel, &alpha) in canvas.iter_mut().zip(self.mask.data()) {
            *pixel = f32::from(alpha) / 255.0;
        }
    }
}

/// Strokes in sparse strips, rendered to premultiplied RGBA of 8 bits per channel.
pub struct VelloCpu {
    context: RenderContext,
    resources: Resources,
    pixmap: Pixmap,
}

impl Default for VelloCpu {
    fn default() -> Self {
        let side = SIDE as u16;
        let mut context = RenderContext::new(side, side);
        context.set_paint(css::WHITE);
        VelloCpu { context, resources: Resources::new(), pixmap: Pixmap::new(side, side) }
    }
}

impl Rival for VelloCpu {
    fn draw(
        &mut self,
        points: &CanvasPoints,
        strokes: &mut dyn Iterator<Item = Range<usize>>,
        line_width: f32,
        canvas: &mut [f32],
    ) {
        let at = |point: usize| (f64::from(points.x[point]), f64::from(points.y[point]));
        let mut path = BezPath::with_capacity(points.x.len() + 64);
        for stroke in strokes.filter(|stroke| !stroke.is_empty()) {
            path.move_to(at(stroke.start));
            stroke.for_each(|point| path.line_to(at(point)));
        }
        self.context.reset();
        self.context.set_paint(css::WHITE);
        let round = kurbo::Stroke::new(f64::from(line_width)).with_caps(kurbo::Cap::Round);
        self.context.set_stroke(round.with_join(kurbo::Join::Round));
        self.context.stroke_path(&path);
        self.context.flush();
        self.context.render(&mut self.pixmap, &mut self.resources);
        debug_assert_eq!(canvas.len(), PIXELS);
        for (pixel, color) in canvas.iter_mut().zip(self.pixmap.data()) {
            *pixel = f32::from(color.a) / 255.0;
        }
    }
}
