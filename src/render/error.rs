//! What can go wrong while rendering, and where.
//!
//! The parts of a fault come in, a headline or a report as compilers give it goes out. Finding
//! the parts is left to `explain`. No value of a chart ever stands in one of these texts, since
//! it may be a secret: only names do.

use std::fmt;

use super::excerpt::window;

/// A chart that cannot be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A template is wrong, or refuses the values.
    #[error("{0}")]
    Template(Box<Fault>),
    /// The templates of a chart do not fit together.
    #[error("loading the templates of {chart}: {message}")]
    Load {
        /// The chart's name.
        chart: String,
        /// What is wrong.
        message: String,
    },
    /// A template cannot be rendered, and the engine does not say where it goes wrong.
    #[error("rendering {path}: {message}")]
    Render {
        /// The template that was being rendered.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// A template is not text.
    #[error("reading {path}: it is not UTF-8 text")]
    NotText {
        /// The template's path with the chart's name before it.
        path: String,
    },
    /// `Chart.yaml` names a template engine that is not known.
    #[error("rendering {chart}: its annotation asks for the template engine {engine:?}, not tera")]
    UnknownEngine {
        /// The chart's name.
        chart: String,
        /// What the annotation says.
        engine: String,
    },
    /// The output grew past its limit.
    #[error("rendering {path}: all output together is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The template that was being rendered.
        path: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// The time was up.
    #[error("rendering {path}: it takes longer than the time limit")]
    TooSlow {
        /// The template that was being rendered.
        path: String,
    },
    /// The values are nested too deep.
    #[error("reading the values of {chart}: they are nested more than {limit} deep")]
    TooDeep {
        /// The chart's name.
        chart: String,
        /// The limit in levels.
        limit: usize,
    },
}

impl Error {
    /// The whole report in several lines, without a line break at its end: the headline, and for
    /// a fault in a template its source lines and the calls that led there.
    pub fn report(&self) -> String {
        match self {
            Self::Template(fault) => fault.report(),
            other => other.to_string(),
        }
    }

    /// What the report has below its headline, if anything.
    pub fn details(&self) -> Option<String> {
        match self {
            Self::Template(fault) => Some(fault.details()).filter(|details| !details.is_empty()),
            _ => None,
        }
    }
}

/// What is wrong in a template, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where it is.
    pub place: Place,
    /// What is wrong, in one line.
    pub message: String,
    /// How many characters of the line are at fault, from the place on; at least 1.
    pub width: usize,
    /// Where the template at fault was included or called from, innermost first.
    pub calls: Vec<Place>,
    /// Further faults that were found at the same time.
    pub others: Vec<Fault>,
}

/// A place in a template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The template's path with the chart's name before it, such as `web/templates/web.yaml`.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The text of the line.
    pub source: String,
}

/// `web/templates/web.yaml:12:9`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.line, self.column)
    }
}

/// The place and the message in one line.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        match self.others.len() {
            0 => Ok(()),
            count => write!(f, " (and {count} more)"),
        }
    }
}

/// No report shows more faults than this beside the first.
const SHOWN: usize = 20;

impl Fault {
    fn report(&self) -> String {
        let headline = format!("{}: {}", self.place, self.message);
        match self.details() {
            details if details.is_empty() => headline,
            details => format!("{headline}\n{details}"),
        }
    }

    /// The source lines, the calls that led there, and the other faults.
    fn details(&self) -> String {
        let mut lines = self.place.excerpt(self.width);
        for call in &self.calls {
            lines.push(format!("called from {call}"));
            lines.extend(call.excerpt(0));
        }
        for other in self.others.iter().take(SHOWN) {
            lines.push(String::new());
            lines.push(other.report());
        }
        let more = self.others.len().saturating_sub(SHOWN);
        if more > 0 {
            lines.extend([String::new(), format!("and {more} more")]);
        }
        lines.join("\n")
    }
}

impl Place {
    /// The source line, and `width` marks below it.
    fn excerpt(&self, width: usize) -> Vec<String> {
        if self.source.is_empty() {
            return Vec::new();
        }
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let (source, before) = window(&self.source, self.column);
        let mut lines = vec![format!(" {margin} |"), format!(" {number} | {source}")];
        if width > 0 {
            let blank: String = (source.chars().take(before))
                .map(|letter| if letter == '\t' { '\t' } else { ' ' })
                .collect();
            let room = source.chars().count().saturating_sub(before).max(1);
            lines.push(format!(
                " {margin} | {blank}{}",
                "^".repeat(width.min(room))
            ));
        }
        lines
    }
}
