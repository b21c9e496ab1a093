//! US dollars, estimated: as exact as the quantities behind them, and shown to the cent.

use std::fmt;
use std::iter::Sum;

use catalog::words;
use serde::{Serialize, Serializer};

/// An amount. Prices go down to a hundred-millionth of a dollar and quantities are averages: a double has more digits than are
/// known.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub(crate) struct Dollars(pub(crate) f64);

impl Dollars {
    /// `9 cents`, `$1.20`: for a sentence.
    pub(crate) fn in_words(self) -> String {
        match (self.0 * 100.0).round() {
            cents if cents < 1.0 => "less than a cent".to_owned(),
            1.0 => "1 cent".to_owned(),
            cents if cents < 100.0 => format!("{cents} cents"),
            _ => self.to_string(),
        }
    }

    pub(crate) fn times(self, factor: f64) -> Self {
        Self(self.0 * factor)
    }
}

impl Sum for Dollars {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.map(|amount| amount.0).sum())
    }
}

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            nothing if nothing <= 0.0 => "$0.00".to_owned(),
            little if little < 0.005 => "< $0.01".to_owned(),
            much if much >= 999.5 => format!("${}", words::grouped(much.round() as u64)),
            amount => format!("${amount:.2}"),
        };
        // Tables align it.
        f.pad(&text)
    }
}

impl Serialize for Dollars {
    /// To the hundredth of a cent.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64((self.0 * 10_000.0).round() / 10_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_show_no_more_than_is_known() {
        let shown = [0.0, 0.0049, 0.005, 0.0851, 1.0, 999.4, 1234.5].map(|amount| Dollars(amount).to_string());
        assert_eq!(shown, ["$0.00", "< $0.01", "$0.01", "$0.09", "$1.00", "$999.40", "$1,235"]);
    }

    #[test]
    fn a_sentence_says_cents_below_a_dollar() {
        let said = [0.004, 0.0149, 0.0851, 0.994, 0.996].map(|amount| Dollars(amount).in_words());
        assert_eq!(said, ["less than a cent", "1 cent", "9 cents", "99 cents", "$1.00"]);
    }

    #[test]
    fn programs_get_hundredths_of_a_cent() {
        assert_eq!(serde_json::to_string(&Dollars(0.085_149)).unwrap(), "0.0851");
    }
}
