//! The growth of each figure as bars, in plain SVG.

use std::fmt::Write as _;

/// One figure at each size, as multiples of what it was at the first.
pub struct Figure {
    pub name: String,
    pub unit: &'static str,
    pub values: Vec<f64>,
}

impl Figure {
    /// How much worse it got, at its worst.
    pub fn worst(&self) -> f64 {
        let first = self.values.first().copied().unwrap_or(f64::NAN);
        self.values.iter().map(|value| value / first).fold(1.0, f64::max)
    }
}

const ROW: usize = 64;
const LEFT: usize = 250;
const SCALE: f64 = 180.0;
const SHADES: [&str; 3] = ["#9ec5e8", "#4a90c4", "#1f4e79"];

/// Bars for each figure and size; the line is 1.5 times the first.
pub fn svg(title: &str, sizes: &[&str], figures: &[Figure]) -> String {
    let (height, width) = (90 + figures.len() * ROW, 900);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let _ = writeln!(svg, "<text x=\"20\" y=\"28\" font-size=\"16\">{title}</text>");
    for (position, size) in sizes.iter().enumerate() {
        let (x, shade) = (20 + position * 150, SHADES[position % SHADES.len()]);
        let _ = writeln!(svg, "<rect x=\"{x}\" y=\"40\" width=\"14\" height=\"14\" fill=\"{shade}\"/>");
        let _ = writeln!(svg, "<text x=\"{}\" y=\"52\">{size}</text>", x + 20);
    }
    for (row, figure) in figures.iter().enumerate() {
        let top = 76 + row * ROW;
        let _ = writeln!(svg, "<text x=\"20\" y=\"{}\">{}</text>", top + 30, figure.name);
        for (position, value) in figure.values.iter().enumerate() {
            let length = (value / figure.values[0] * SCALE).min(560.0);
            let (y, shade) = (top + position * 17, SHADES[position % SHADES.len()]);
            let _ = writeln!(
                svg,
                "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{length:.0}\" height=\"14\" fill=\"{shade}\"/>"
            );
            let _ = writeln!(
                svg,
                "<text x=\"{:.0}\" y=\"{}\" font-size=\"11\">{value:.2} {}</text>",
                LEFT as f64 + length + 6.0,
                y + 11,
                figure.unit
            );
        }
    }
    let limit = LEFT as f64 + 1.5 * SCALE;
    let _ = writeln!(
        svg,
        "<line x1=\"{limit}\" y1=\"66\" x2=\"{limit}\" y2=\"{height}\" stroke=\"#c0392b\" stroke-dasharray=\"4 3\"/>\n\
         <text x=\"{}\" y=\"52\" fill=\"#c0392b\">1.5 times the first</text>\n</svg>",
        limit - 40.0
    );
    svg
}
