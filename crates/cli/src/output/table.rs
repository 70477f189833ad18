//! Columns of text.

use super::{Output, Tone, clean};

/// Rows of cells, aligned. Every cell is made safe for a terminal.
#[derive(Debug, Default)]
pub struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<(Option<Tone>, String)>>,
}

impl Table {
    /// With a line of column names.
    pub fn with_header(header: &[&'static str]) -> Self {
        Self { header: header.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(|cell| (None, clean(cell.as_ref()))).collect());
    }

    /// Adds a row `name  value`, the name faint.
    pub fn pair(&mut self, name: &str, value: &str) {
        self.rows.push(vec![(Some(Tone::Faint), name.to_owned()), (None, clean(value))]);
    }

    /// Adds a row with tones.
    pub fn toned(&mut self, cells: Vec<(Option<Tone>, String)>) {
        self.rows.push(cells.into_iter().map(|(tone, cell)| (tone, clean(&cell))).collect());
    }

    /// The text; `nothing` when there are no rows.
    pub fn render(mut self, output: &Output, nothing: &str) -> String {
        if self.rows.is_empty() {
            return output.paint(Tone::Faint, nothing);
        }
        if !self.header.is_empty() {
            let header = self.header.iter().map(|name| (Some(Tone::Faint), (*name).to_owned())).collect();
            self.rows.insert(0, header);
        }
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                self.rows.iter().filter_map(|row| row.get(column)).map(|(_, cell)| width(cell)).max()
            })
            .map(Option::unwrap_or_default)
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (position, ((tone, cell), width_of_column)) in row.iter().zip(&widths).enumerate() {
                let painted = tone.map_or_else(|| cell.clone(), |tone| output.paint(tone, cell));
                line.push_str(&painted);
                if position + 1 < row.len() {
                    line.push_str(&" ".repeat(width_of_column.saturating_sub(width(cell)) + 2));
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Near enough for names: one column a character.
fn width(text: &str) -> usize {
    text.chars().count()
}
