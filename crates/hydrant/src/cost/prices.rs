//! What AWS asks: data with region and date, from a table that ships or from the operator's own.
//!
//! What the table does not know has no price. Nothing is guessed from another region.

use std::path::Path;

use crate::inspect::account::clean;

/// The table that ships.
const EMBEDDED: &str = include_str!("prices.tsv");

/// What is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    MetricUpdate,
    FirehoseGb,
}

impl Item {
    const ALL: [Item; 2] = [Item::MetricUpdate, Item::FirehoseGb];

    /// The word in the table.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Item::MetricUpdate => "metric_update",
            Item::FirehoseGb => "firehose_gb",
        }
    }
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Price {
    pub(super) item: Item,
    pub(super) region: String,
    /// The price is for this many.
    pub(super) per: f64,
    /// It holds up to this quantity a month; without, for any.
    pub(super) up_to: Option<f64>,
    pub(super) usd: f64,
    pub(super) date: String,
    pub(super) source: String,
}

/// The prices of one region, tiers from the lowest.
#[derive(Clone, Debug, Default)]
pub(super) struct Prices {
    lines: Vec<Price>,
}

/// What a quantity costs, as far as prices are known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Charge {
    /// `None` without any price.
    pub(super) usd: Option<f64>,
    /// How much of the quantity has no price.
    pub(super) unpriced: f64,
}

impl Prices {
    /// The prices of a region from `file`, or from the table that ships.
    pub(super) fn read(file: Option<&Path>, region: &str) -> Result<Prices, String> {
        let Some(file) = file else { return Prices::parse(EMBEDDED, region) };
        let text = std::fs::read_to_string(file);
        let text = text.map_err(|error| format!("{}: {error}", file.display()))?;
        Prices::parse(&text, region).map_err(|why| format!("{}: {why}", file.display()))
    }

    pub(super) fn parse(text: &str, region: &str) -> Result<Prices, String> {
        let mut lines = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let price = price(line).map_err(|why| format!("line {}: {why}", index + 1))?;
            if price.region == region {
                lines.push(price);
            }
        }
        let end = |price: &Price| price.up_to.unwrap_or(f64::INFINITY);
        lines.sort_by(|a, b| end(a).total_cmp(&end(b)));
        Ok(Prices { lines })
    }

    /// The tiers of an item.
    pub(super) fn of(&self, item: Item) -> impl Iterator<Item = &Price> {
        self.lines.iter().filter(move |price| price.item == item)
    }

    /// What so much of it costs, a month's quantity for a month.
    pub(super) fn charge(&self, item: Item, quantity: f64) -> Charge {
        let mut usd = None;
        let mut priced = 0.0_f64;
        for price in self.of(item) {
            let end = price.up_to.map_or(quantity, |end| end.min(quantity));
            let part = (end - priced).max(0.0);
            usd = Some(usd.unwrap_or(0.0) + part / price.per * price.usd);
            priced += part;
        }
        Charge { usd, unpriced: quantity - priced }
    }
}

fn price(line: &str) -> Result<Price, String> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [item, region, per, up_to, usd, date, source] = cells[..] else {
        return Err(format!("has {} columns and needs 7, with tabs between", cells.len()));
    };
    let known = Item::ALL.into_iter().find(|known| known.word() == item);
    let item = known.ok_or_else(|| format!("\"{}\" is no item", clean(item)))?;
    let up_to = if up_to == "-" { None } else { Some(number("up_to", up_to)?) };
    let per = number("per", per)?;
    if per == 0.0 {
        return Err("per is 0".to_owned());
    }
    Ok(Price {
        item,
        region: region.to_owned(),
        per,
        up_to,
        usd: number("usd", usd)?,
        date: clean(date),
        source: clean(source),
    })
}

fn number(name: &str, text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| format!("{name} is \"{}\", not a number", clean(text)))
}
