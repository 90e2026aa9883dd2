//! What a key means.

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// The lines that say so, in the picture; of at most 80 columns.
pub(crate) const HELP: [&str; 2] = [
    "0-7 add load   up/down select   + more load   - less   space pause load   q quit",
    "w a worker more   k kill a worker   p next policy   c half, C twice the capacity",
];

/// What somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Select this band and add load to it.
    Add(usize),
    SelectBefore,
    SelectNext,
    MoreLoad,
    LessLoad,
    Pause,
    Hire,
    Kill,
    NextPolicy,
    Narrow,
    Widen,
    Quit,
    Interrupt,
}

/// `None` if it means nothing.
pub(crate) fn wish(event: &Event) -> Option<Wish> {
    match event {
        // Some terminals tell of the release, too.
        Event::Key(key) if key.kind != KeyEventKind::Release => of_key(*key),
        _ => None,
    }
}

fn of_key(key: KeyEvent) -> Option<Wish> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (key.code == KeyCode::Char('c')).then_some(Wish::Interrupt);
    }
    Some(match key.code {
        KeyCode::Char(digit @ '0'..='7') => Wish::Add(digit as usize - '0' as usize),
        KeyCode::Up => Wish::SelectBefore,
        KeyCode::Down => Wish::SelectNext,
        KeyCode::Char('+' | '=') | KeyCode::Enter => Wish::MoreLoad,
        KeyCode::Char('-') => Wish::LessLoad,
        KeyCode::Char(' ') => Wish::Pause,
        KeyCode::Char('w') => Wish::Hire,
        KeyCode::Char('k') => Wish::Kill,
        KeyCode::Char('p') => Wish::NextPolicy,
        KeyCode::Char('c') => Wish::Narrow,
        KeyCode::Char('C') => Wish::Widen,
        KeyCode::Char('q') | KeyCode::Esc => Wish::Quit,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(code: KeyCode, modifiers: KeyModifiers) -> Option<Wish> {
        wish(&Event::Key(KeyEvent::new(code, modifiers)))
    }

    #[test]
    fn small_and_large_letters_and_control_differ() {
        let c = |modifiers| pressed(KeyCode::Char('c'), modifiers);
        assert_eq!(c(KeyModifiers::NONE), Some(Wish::Narrow));
        assert_eq!(c(KeyModifiers::CONTROL), Some(Wish::Interrupt));
        let large = pressed(KeyCode::Char('C'), KeyModifiers::SHIFT);
        assert_eq!(large, Some(Wish::Widen));
        assert_eq!(pressed(KeyCode::Char('q'), KeyModifiers::CONTROL), None);
    }

    #[test]
    fn digits_are_bands_and_others_mean_nothing() {
        for band in 0..8_usize {
            let digit = char::from(b'0' + band as u8);
            let wish = pressed(KeyCode::Char(digit), KeyModifiers::NONE);
            assert_eq!(wish, Some(Wish::Add(band)));
        }
        for code in [KeyCode::Char('8'), KeyCode::Char('x'), KeyCode::F(1)] {
            assert_eq!(pressed(code, KeyModifiers::NONE), None);
        }
    }

    #[test]
    fn a_release_is_no_press() {
        let mut key = KeyEvent::new(KeyCode::Char('k'), KeyModifiers::NONE);
        key.kind = KeyEventKind::Release;
        assert_eq!(wish(&Event::Key(key)), None);
    }

    #[test]
    fn the_help_fits_80_columns() {
        assert!(HELP.iter().all(|line| line.len() <= 80));
    }
}
