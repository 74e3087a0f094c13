//! Progress for people: spinners on a terminal, plain lines elsewhere.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Shows progress on standard error. Standard output is for results.
#[derive(Debug, Clone)]
pub struct Progress {
    how: How,
}

#[derive(Debug, Clone)]
enum How {
    Bars(MultiProgress),
    Lines,
    Quiet,
}

impl Progress {
    /// Spinners on a terminal, lines elsewhere.
    pub fn new() -> Self {
        use std::io::IsTerminal;
        let how = if std::io::stderr().is_terminal() { How::Bars(MultiProgress::new()) } else { How::Lines };
        Self { how }
    }

    /// Shows nothing.
    pub fn quiet() -> Self {
        Self { how: How::Quiet }
    }

    /// Starts a step, such as "us kafka".
    pub fn step(&self, name: impl Into<String>) -> ProgressStep {
        let name = name.into();
        let bar = match &self.how {
            How::Bars(bars) => Some(spinner(bars, &name)),
            How::Lines | How::Quiet => None,
        };
        let speaks = matches!(self.how, How::Lines);
        ProgressStep { name, began: Instant::now(), bar, speaks }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

/// One step in progress. Dropping it without [`ProgressStep::done`] shows no success.
#[derive(Debug)]
pub struct ProgressStep {
    name: String,
    began: Instant,
    bar: Option<ProgressBar>,
    speaks: bool,
}

impl ProgressStep {
    /// Shows what is happening, on a terminal only.
    pub fn note(&self, what: impl Into<String>) {
        if let Some(bar) = &self.bar {
            bar.set_message(what.into());
        }
    }

    /// Shows what takes long, with or without a terminal.
    pub fn long(&self, what: &str) {
        self.note(what);
        if self.speaks {
            eprintln!("  {:<18} {what} …", self.name);
        }
    }

    /// Finishes the step successfully.
    pub fn done(self, what: &str) {
        let line = format!("✓ {:<18} {what} ({})", self.name, seconds(self.began.elapsed()));
        match &self.bar {
            Some(bar) => {
                bar.set_style(plain());
                bar.finish_with_message(line);
            }
            None if self.speaks => eprintln!("{line}"),
            None => {}
        }
    }
}

/// Formats a duration: `0.4 s`, `12.0 s`.
pub fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn spinner(bars: &MultiProgress, name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner:.cyan} {prefix:<18} {msg} ({elapsed})");
    let bar = bars.add(ProgressBar::new_spinner().with_prefix(name.to_owned()));
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn plain() -> ProgressStyle {
    ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}
