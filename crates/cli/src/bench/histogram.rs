//! Histograms in Prometheus text: the difference between two scrapes, and its quantiles.

use std::collections::BTreeMap;

/// Cumulative counts by upper bound.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Histogram {
    /// Keyed by the bits of the bound: positive floats sort like their bits.
    counts: BTreeMap<u64, f64>,
}

impl Histogram {
    /// Sums all series of `name` with these labels.
    pub(super) fn parse(text: &str, name: &str, labels: &[(&str, &str)]) -> Self {
        let prefix = format!("{name}_bucket{{");
        let mut histogram = Self::default();
        for line in text.lines().filter_map(|line| line.strip_prefix(&prefix)) {
            let Some((series, value)) = line.rsplit_once("} ") else { continue };
            let wanted = labels.iter().all(|(name, value)| series.contains(&format!("{name}=\"{value}\"")));
            if let (true, Some(bound), Ok(count)) = (wanted, bound(series), value.trim().parse::<f64>()) {
                *histogram.counts.entry(bound.to_bits()).or_default() += count;
            }
        }
        histogram
    }

    /// The difference to an earlier scrape.
    pub(super) fn since(&self, before: &Self) -> Self {
        let earlier = |bound| before.counts.get(bound).copied().unwrap_or_default();
        Self { counts: self.counts.iter().map(|(bound, count)| (*bound, count - earlier(bound))).collect() }
    }

    /// Number of values.
    pub(super) fn count(&self) -> f64 {
        self.counts.values().next_back().copied().unwrap_or_default()
    }

    /// A quantile, interpolated linearly within its bucket; `None` without values.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = self.count() * share;
        let (mut low, mut below) = (0.0, 0.0);
        for (bound, count) in &self.counts {
            let high = f64::from_bits(*bound);
            if *count >= wanted && *count > below {
                let high = if high.is_finite() { high } else { low };
                return Some(low + (high - low) * (wanted - below) / (count - below));
            }
            (low, below) = (high, *count);
        }
        None
    }
}

fn bound(series: &str) -> Option<f64> {
    let (_, after) = series.split_once("le=\"")?;
    after.split('"').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
# TYPE t histogram
t_bucket{origin="us",stage="mirror",le="0.01"} 10
t_bucket{origin="us",stage="mirror",le="0.02"} 30
t_bucket{origin="us",stage="mirror",le="+Inf"} 40
t_bucket{origin="us",stage="total",le="0.01"} 7
t_sum{origin="us",stage="mirror"} 0.5
"#;

    #[test]
    fn quantiles_lie_in_their_bucket() {
        let mirror = Histogram::parse(TEXT, "t", &[("stage", "mirror"), ("origin", "us")]);
        assert_eq!(mirror.count(), 40.0);
        assert_eq!(mirror.quantile(0.25), Some(0.01));
        assert_eq!(mirror.quantile(0.5), Some(0.015));
        // Above the last bound nothing more is known.
        assert_eq!(mirror.quantile(0.99), Some(0.02));
    }

    #[test]
    fn only_what_came_in_between_counts() {
        let before = Histogram::parse(TEXT, "t", &[("stage", "mirror")]);
        let after =
            Histogram::parse(&TEXT.replace("} 40", "} 41").replace("} 30", "} 31"), "t", &[("stage", "mirror")]);
        let between = after.since(&before);
        assert_eq!(between.count(), 1.0);
        assert_eq!(between.quantile(0.5), Some(0.015));
        assert_eq!(before.since(&before).quantile(0.5), None);
    }

    #[test]
    fn there_is_nothing_where_nothing_matches() {
        assert_eq!(Histogram::parse(TEXT, "t", &[("origin", "eu")]).quantile(0.5), None);
    }
}
