//! What the reader gets: a table, the figures behind it, and plots.

pub mod machine;
pub mod plot;
pub mod store;
pub mod table;

/// Three significant digits.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 999_500.0 => format!("{:.1} M", value / 1e6),
        size if size >= 99_950.0 => format!("{:.0} k", value / 1e3),
        size if size >= 9_995.0 => format!("{:.1} k", value / 1e3),
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        size if size >= 0.0995 || size == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}
