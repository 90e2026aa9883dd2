//! What was measured, and what follows from it: ratios round by round, and whether the goals are
//! reached.

use serde::{Deserialize, Serialize};

use crate::queue::Kind;

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Nanoseconds for a push and a pop.
    NanosPerPair,
    /// Nanoseconds.
    Nanos,
    /// Million items a second.
    MillionPerSecond,
    /// Microseconds.
    Micros,
    /// Bytes an item.
    BytesPerItem,
    /// Bytes a band.
    BytesPerBand,
}

impl Unit {
    /// As it stands behind a number.
    pub fn symbol(self) -> &'static str {
        match self {
            Unit::NanosPerPair | Unit::Nanos => "ns",
            Unit::MillionPerSecond => "M/s",
            Unit::Micros => "µs",
            Unit::BytesPerItem => "B/item",
            Unit::BytesPerBand => "B/band",
        }
    }

    /// Whether less is better.
    pub fn less_is_better(self) -> bool {
        self != Unit::MillionPerSecond
    }
}

/// What bandq's figure is compared with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// That peer, at the same work.
    Peer(String),
    /// Whichever peer is best at this work.
    BestPeer,
    /// bandq itself, at another work of the group.
    Work(String),
    /// Nothing: the figure itself has a bound.
    Nothing,
}

/// What a ratio, or a figure, should be.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// At most that.
    AtMost(f64),
    /// At least that.
    AtLeast(f64),
}

impl Bound {
    /// Whether `value` keeps it.
    pub fn holds(self, value: f64) -> bool {
        match self {
            Bound::AtMost(bound) => value <= bound,
            Bound::AtLeast(bound) => value >= bound,
        }
    }
}

/// One comparison, with what it should come to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// Compared with whom.
    pub against: Against,
    /// What we want.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub goal: Option<Bound>,
    /// What it must be at the very least.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub least: Option<Bound>,
}

impl Claim {
    /// A comparison with that peer.
    pub fn peer(name: &str) -> Self {
        Claim::against(Against::Peer(name.into()))
    }

    /// A comparison with bandq at another work.
    pub fn work(name: &str) -> Self {
        Claim::against(Against::Work(name.into()))
    }

    /// A comparison, without bounds so far.
    pub fn against(against: Against) -> Self {
        Claim {
            against,
            goal: None,
            least: None,
        }
    }

    /// With this goal.
    pub fn goal(mut self, bound: Bound) -> Self {
        self.goal = Some(bound);
        self
    }

    /// With this as the very least.
    pub fn least(mut self, bound: Bound) -> Self {
        self.least = Some(bound);
        self
    }
}

/// One work of a group, and its comparisons.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Work {
    /// Its name, unique in the group.
    pub name: String,
    /// What its figure counts.
    pub unit: Unit,
    /// Where it stands on the plot's axis, if the plot has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub x: Option<f64>,
    /// What is claimed of it.
    pub claims: Vec<Claim>,
}

impl Work {
    /// A work without claims so far.
    pub fn new(name: impl Into<String>, unit: Unit) -> Self {
        Work {
            name: name.into(),
            unit,
            x: None,
            claims: Vec::new(),
        }
    }

    /// At this place of the plot's axis.
    pub fn at(mut self, x: f64) -> Self {
        self.x = Some(x);
        self
    }

    /// With one claim more.
    pub fn claim(mut self, claim: Claim) -> Self {
        self.claims.push(claim);
        self
    }
}

/// How a group is drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drawing {
    /// A bar a peer, a panel a work.
    Bars {
        /// Figures that differ by powers of ten.
        log: bool,
    },
    /// A line a peer, over the works' places on an axis.
    Lines {
        /// What the axis shows.
        axis: String,
    },
}

/// One peer's figures at one work, in the order of the rounds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PeerFigures {
    /// The peer's name.
    pub peer: String,
    /// What it offers.
    pub kind: Kind,
    /// A figure a round.
    pub rounds: Vec<f64>,
}

impl PeerFigures {
    /// Median and extremes.
    pub fn spread(&self) -> Spread {
        Spread::of(&self.rounds)
    }
}

/// All peers' figures at one work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WorkFigures {
    /// The work.
    #[serde(flatten)]
    pub work: Work,
    /// The peers that did it.
    pub peers: Vec<PeerFigures>,
}

impl WorkFigures {
    /// bandq; the first of several.
    fn ours(&self) -> Option<&PeerFigures> {
        self.peers.iter().find(|peer| peer.kind == Kind::Ours)
    }

    fn peer(&self, name: &str) -> Option<&PeerFigures> {
        self.peers.iter().find(|peer| peer.peer == name)
    }

    fn best_peer(&self) -> Option<&PeerFigures> {
        let better = |a: &&PeerFigures, b: &&PeerFigures| {
            let order = a.spread().median.total_cmp(&b.spread().median);
            if self.work.unit.less_is_better() {
                order
            } else {
                order.reverse()
            }
        };
        self.peers
            .iter()
            .filter(|peer| matches!(peer.kind, Kind::Priority | Kind::Plain))
            .min_by(better)
    }
}

/// One group's figures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupFigures {
    /// Its name on the command line and as a file.
    pub name: String,
    /// Its question.
    pub title: String,
    /// How it is drawn.
    pub drawing: Drawing,
    /// Its works.
    pub works: Vec<WorkFigures>,
}

/// Where the figures come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// Cores that the process may use.
    pub cores: usize,
    /// The operating system and the architecture.
    pub system: String,
    /// The compiler.
    pub rustc: String,
}

/// Everything that was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Results {
    /// Where.
    pub machine: Machine,
    /// The groups, in the order of the table.
    pub groups: Vec<GroupFigures>,
}

impl Results {
    /// The lines of the table of ratios.
    pub fn rows(&self) -> Vec<Row> {
        self.groups.iter().flat_map(GroupFigures::rows).collect()
    }
}

/// A median and the extremes around it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spread {
    /// The middle one.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// Of at least one value.
    pub fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            (sorted[middle - 1] + sorted[middle]) / 2.0
        };
        Spread {
            median,
            min: sorted[0],
            max: sorted[sorted.len() - 1],
        }
    }
}

/// Whether a claim holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The goal is reached, or the very least where there is no goal.
    Reached,
    /// The goal is missed, but not the very least.
    LeastOnly,
    /// Missed.
    Missed,
    /// Nothing was claimed.
    Open,
}

/// One line of the table of ratios.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The group's name.
    pub group: String,
    /// The work's name.
    pub work: String,
    /// What the figures count.
    pub unit: Unit,
    /// bandq's figure.
    pub bandq: Spread,
    /// With what it is compared, and that one's figure.
    pub reference: Option<(String, Spread)>,
    /// bandq's figure over the reference's, round by round.
    pub ratio: Option<Spread>,
    /// What we want.
    pub goal: Option<Bound>,
    /// What it must be at the very least.
    pub least: Option<Bound>,
    /// Whether it is so.
    pub verdict: Verdict,
}

impl GroupFigures {
    fn rows(&self) -> Vec<Row> {
        let rows = self.works.iter().flat_map(|work| {
            work.work
                .claims
                .iter()
                .filter_map(move |claim| self.row(work, claim))
        });
        rows.collect()
    }

    /// `None` if one of the two compared was not measured.
    fn row(&self, work: &WorkFigures, claim: &Claim) -> Option<Row> {
        let ours = work.ours()?;
        let reference = match &claim.against {
            Against::Nothing => None,
            Against::Peer(name) => Some((name.clone(), work.peer(name)?)),
            Against::BestPeer => {
                let best = work.best_peer()?;
                Some((format!("best of the peers: {}", best.peer), best))
            }
            Against::Work(name) => {
                let other = self.works.iter().find(|other| other.work.name == *name)?;
                Some((format!("itself, {name}"), other.ours()?))
            }
        };
        let ratio = reference.as_ref().map(|(_, reference)| {
            let ratios: Vec<f64> = ours
                .rounds
                .iter()
                .zip(&reference.rounds)
                .map(|(ours, reference)| ours / reference)
                .collect();
            Spread::of(&ratios)
        });
        let judged = ratio.unwrap_or(ours.spread()).median;
        let verdict = match (claim.goal, claim.least) {
            (None, None) => Verdict::Open,
            (Some(goal), _) if goal.holds(judged) => Verdict::Reached,
            (Some(_), Some(least)) if least.holds(judged) => Verdict::LeastOnly,
            (None, Some(least)) if least.holds(judged) => Verdict::Reached,
            _ => Verdict::Missed,
        };
        Some(Row {
            group: self.name.clone(),
            work: work.work.name.clone(),
            unit: work.work.unit,
            bandq: ours.spread(),
            reference: reference.map(|(name, figures)| (name, figures.spread())),
            ratio,
            goal: claim.goal,
            least: claim.least,
            verdict,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(peer: &str, kind: Kind, rounds: [f64; 3]) -> PeerFigures {
        PeerFigures {
            peer: peer.into(),
            kind,
            rounds: rounds.into(),
        }
    }

    fn rows(claim: Claim) -> Vec<Row> {
        let work = Work::new("work", Unit::NanosPerPair).claim(claim);
        let peers = vec![
            figures("bandq", Kind::Ours, [20.0, 40.0, 30.0]),
            figures("slow", Kind::Plain, [40.0, 40.0, 60.0]),
            figures("quick", Kind::Priority, [10.0, 10.0, 10.0]),
            figures("bound", Kind::Bound, [1.0, 1.0, 1.0]),
        ];
        let group = GroupFigures {
            name: "group".into(),
            title: String::new(),
            drawing: Drawing::Bars { log: false },
            works: vec![WorkFigures { work, peers }],
        };
        group.rows()
    }

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(Spread::of(&[3.0, 1.0, 2.0]).median, 2.0);
        assert_eq!(Spread::of(&[4.0, 1.0, 2.0, 3.0]).median, 2.5);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let row = &rows(Claim::peer("slow").goal(Bound::AtMost(0.5)))[0];
        let ratio = row.ratio.expect("there is a reference");
        assert_eq!((ratio.min, ratio.median, ratio.max), (0.5, 0.5, 1.0));
        assert_eq!(row.verdict, Verdict::Reached);
    }

    #[test]
    fn the_best_peer_is_a_queue() {
        let row = &rows(Claim::against(Against::BestPeer).goal(Bound::AtMost(1.0)))[0];
        let (name, _) = row.reference.as_ref().expect("there is a reference");
        assert!(name.ends_with("quick"));
        assert_eq!(row.verdict, Verdict::Missed);
    }

    #[test]
    fn the_least_is_not_the_goal() {
        let claim = Claim::against(Against::Nothing);
        let claim = claim.goal(Bound::AtMost(20.0)).least(Bound::AtMost(30.0));
        assert_eq!(rows(claim)[0].verdict, Verdict::LeastOnly);
    }

    #[test]
    fn who_was_not_measured_has_no_row() {
        assert!(rows(Claim::peer("nobody")).is_empty());
    }
}
