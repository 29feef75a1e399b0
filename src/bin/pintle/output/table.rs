//! Tables for people: columns without lines, as `kubectl` and Helm print them.

use comfy_table::{Table, TableStyle};

use super::print_text;
use crate::failure::Failure;

/// Prints rows of cells below a header.
pub(super) fn print<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<(), Failure> {
    print_text(&to_text(header, rows))
}

/// Prints rows of cells alone.
pub(super) fn print_rows<const N: usize>(
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<(), Failure> {
    let mut table = Table::new();
    table.add_rows(rows);
    print_text(&text(table))
}

/// The table as text that ends in a line break.
pub(super) fn to_text<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.set_header(header).add_rows(rows);
    text(table)
}

fn text(mut table: Table) -> String {
    table.load_style(TableStyle::new());
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    table
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect::<Vec<_>>()
        .concat()
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            ["a".to_owned(), "long text".to_owned()],
            ["bcd".to_owned(), "x".to_owned()],
        ];
        let text = super::to_text(["X", "Y"], rows);
        assert_eq!(text, "X     Y\na     long text\nbcd   x\n");
    }
}
