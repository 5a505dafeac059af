//! One scenario, in the order in which its releases came out.

use std::sync::Arc;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use weir_engine::trust::TrustSources;
use weir_engine::worker::WorkerProgram;
use weir_engine::{Assessed, Clock, Engine, EngineConfig};
use weir_model::{Action, Assessment, Finding, Group, Severity};
use weir_npm::name::PackageName;
use weir_npm::npmrc::Npmrc;
use weir_policy::config::Period;
use weir_policy::{Context, Policy, decide};
use weir_signals::NameIndex;
use weir_store::Store;
use weir_testing::scenarios::{Attack, Scenario};
use weir_upstream::{Options, Upstreams};

/// How long after its publication a release is looked at first, in minutes. The registry's own copy
/// of a publish takes about that long to reach anybody.
const FIRST_LOOK: i64 = 1;

/// The signal that reads what a publishing client leaves behind. Attackers can imitate that, so it is
/// said how much rests on it.
pub(crate) const MARKS: &str = "missing-source-marks";

/// A scenario, played.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) attacks: Vec<PlayedAttack>,
    pub(crate) twins: Vec<PlayedTwin>,
}

/// What became of an attack.
#[derive(Debug)]
pub(crate) struct PlayedAttack {
    pub(crate) attack: Attack,
    pub(crate) seen: Seen,
    /// Minutes from its publication until its evidence refused it; absent where it never did.
    pub(crate) minutes: Option<i64>,
    /// Whether what had to be noticed at least was.
    pub(crate) noticed: bool,
}

/// What became of a benign twin.
#[derive(Debug)]
pub(crate) struct PlayedTwin {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) why: &'static str,
    pub(crate) seen: Seen,
}

/// What was seen of a release.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) findings: Vec<Finding>,
    /// What the default policy does with it on the day, its age included.
    pub(crate) action: Action,
    /// What its evidence alone does, were it of any age.
    pub(crate) by_evidence: Action,
    /// The kinds of evidence.
    pub(crate) groups: Vec<Group>,
    /// Layers of signals that would refuse it without all others.
    pub(crate) enough_alone: Vec<&'static str>,
    /// Whether two kinds of evidence would refuse it without [`MARKS`].
    pub(crate) refused_without_marks: bool,
    /// What could not be checked.
    pub(crate) incomplete: Vec<String>,
}

impl Seen {
    /// The ids of the signals whose findings count, each once, strongest first.
    pub(crate) fn fired(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = Vec::new();
        for finding in self.findings.iter().filter(|finding| counts(finding)) {
            if !ids.contains(&finding.signal.as_str()) {
                ids.push(&finding.signal);
            }
        }
        ids
    }
}

pub(crate) fn counts(finding: &Finding) -> bool {
    finding.group.is_evidence() && finding.severity > Severity::Info
}

/// Plays a scenario: each release is looked at a minute after it came out, and the attacks once more
/// at the end, when everything is out.
pub(crate) async fn play(scenario: &Scenario) -> anyhow::Result<Played> {
    let player = Player::new(scenario).await?;
    let mut events: Vec<(Timestamp, &str, &str)> = Vec::new();
    let attacks = scenario.attacks.iter().map(|it| (it.name, it.version));
    let twins = scenario.twins.iter().map(|it| (it.name, it.version));
    for (name, version) in attacks.chain(twins) {
        events.push((player.published(name, version)?, name, version));
    }
    events.sort_unstable();
    if let Some((first, ..)) = events.first() {
        player.learn(*first).await?;
    }
    let mut first: Vec<(&str, Seen)> = Vec::new();
    for (published, name, version) in &events {
        // What a long-published twin looks like does not change.
        let at = published.saturating_add(SignedDuration::from_mins(FIRST_LOOK))?;
        first.push((name, player.look(name, version, *published, at).await?));
    }
    let mut attacks = Vec::new();
    for attack in &scenario.attacks {
        let published = player.published(attack.name, attack.version)?;
        let last = player.look(attack.name, attack.version, published, scenario.now);
        let last = last.await?;
        let begun = first
            .iter()
            .find(|(name, _)| *name == attack.name)
            .map(|(_, seen)| seen);
        let minutes = match begun {
            Some(seen) if !seen.by_evidence.serves() => Some(FIRST_LOOK),
            _ if !last.by_evidence.serves() => {
                Some(scenario.now.duration_since(published).as_mins())
            }
            _ => None,
        };
        let noticed = attack.expected.iter().all(|expected| {
            last.findings
                .iter()
                .any(|finding| finding.group.as_str() == expected.group)
        });
        attacks.push(PlayedAttack {
            attack: attack.clone(),
            seen: last,
            minutes,
            noticed,
        });
    }
    let twins = scenario.twins.iter().map(|twin| {
        let seen = first.iter().find(|(name, _)| *name == twin.name);
        let (_, seen) = seen.context("every twin was looked at")?;
        anyhow::Ok(PlayedTwin {
            name: twin.name,
            version: twin.version,
            why: twin.why,
            seen: seen.clone(),
        })
    });
    let twins = twins.collect::<anyhow::Result<_>>()?;
    player.engine.close().await;
    Ok(Played {
        name: scenario.name,
        description: scenario.description,
        attacks,
        twins,
    })
}

/// An engine in front of the scenario's registry.
struct Player<'s> {
    scenario: &'s Scenario,
    engine: Arc<Engine>,
    clock: Clock,
    names: NameIndex,
    /// The default policy.
    policy: Policy,
    /// The same, were no release young.
    ageless: Policy,
    _data: tempfile::TempDir,
}

impl<'s> Player<'s> {
    async fn new(scenario: &'s Scenario) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let mut policy = Policy::default();
        // Every look is at the registry as it is at that moment.
        policy.cache.packument_ttl = Period::from_secs(0);
        let clock = Clock::standing(Timestamp::UNIX_EPOCH);
        let npmrc = Npmrc::parse(
            &format!("registry={}\n", scenario.registry.url()),
            &Default::default(),
        );
        let engine = Engine::new(EngineConfig {
            worker: WorkerProgram::this_program(&policy.limits)?,
            policy: policy.clone(),
            clock: clock.clone(),
            store: Store::open(data.path()).await?,
            upstreams: Upstreams::from_npmrc(&npmrc, &Options::default())?,
            trust: TrustSources {
                root: Some(scenario.registry.trusted_root()),
                ..TrustSources::default()
            },
        });
        let mut ageless = policy.clone();
        ageless.age.minimum = Period::from_secs(0);
        Ok(Self {
            scenario,
            engine: engine.await?,
            clock,
            names: NameIndex::embedded()?,
            policy,
            ageless,
            _data: data,
        })
    }

    /// When a release came out.
    fn published(&self, name: &str, version: &str) -> anyhow::Result<Timestamp> {
        self.scenario.registry.set_now_at(self.scenario.now);
        let packument = self.scenario.registry.packument(name);
        let packument = packument.with_context(|| format!("{name} is not in the registry"))?;
        let time = packument["time"][version].as_str();
        let time = time.with_context(|| format!("{name}@{version} has no time"))?;
        Ok(time.parse()?)
    }

    /// Learns what the scenario says was known before it began.
    async fn learn(&self, until: Timestamp) -> anyhow::Result<()> {
        self.set(until);
        for name in &self.scenario.known {
            let package = PackageName::parse(name)?;
            let learned = self.engine.backfill(&package).await;
            let learned = learned.with_context(|| format!("the past of {name}"))?;
            anyhow::ensure!(learned.learned > 0, "{name} has no past to learn from");
        }
        Ok(())
    }

    fn set(&self, at: Timestamp) {
        self.scenario.registry.set_now_at(at);
        self.clock.advance(at.duration_since(self.clock.now()));
    }

    async fn look(
        &self,
        name: &str,
        version: &str,
        published: Timestamp,
        at: Timestamp,
    ) -> anyhow::Result<Seen> {
        self.set(at);
        let package = PackageName::parse(name)?;
        let assessed: Assessed = self
            .engine
            .inspect(&package, Some(version))
            .await
            .with_context(|| format!("{name}@{version}"))?;
        let rank = self.names.rank(name).map(|place| place.saturating_add(1));
        let context = Context {
            published: Some(published),
            rank,
            established: self.policy.is_established(Some(published), rank, at),
            ..Context::new(at)
        };
        let assessment = assessed.assessment;
        let day = decide(&assessment, &context, &self.policy);
        let evidence = decide(&assessment, &context, &self.ageless);
        let enough_alone = layers(&assessment)
            .into_iter()
            .filter(|layer| {
                let alone = only(&assessment, layer);
                !decide(&alone, &context, &self.ageless).action.serves()
            })
            .collect();
        let mut unmarked = assessment.clone();
        unmarked.findings.retain(|finding| finding.signal != MARKS);
        let unmarked = decide(&unmarked, &context, &self.ageless);
        Ok(Seen {
            refused_without_marks: !unmarked.action.serves() && unmarked.groups.len() >= 2,
            action: day.action,
            by_evidence: evidence.action,
            groups: evidence.groups,
            enough_alone,
            incomplete: assessment
                .incomplete
                .iter()
                .map(|gap| format!("{}: {}", gap.what, gap.why))
                .collect(),
            findings: assessment.findings,
        })
    }
}

/// The layer of signals that a finding comes from.
fn layer(finding: &Finding) -> &'static str {
    weir_signals::find(&finding.signal).map_or("engine", |signal| signal.layer.folder())
}

/// The layers that found something that counts.
fn layers(assessment: &Assessment) -> Vec<&'static str> {
    let found = assessment.findings.iter().filter(|finding| counts(finding));
    let mut layers: Vec<&'static str> = found.map(layer).collect();
    layers.sort_unstable();
    layers.dedup();
    layers
}

/// The assessment as it were if that layer were all there is.
fn only(assessment: &Assessment, wanted: &str) -> Assessment {
    let mut alone = assessment.clone();
    alone.findings.retain(|finding| layer(finding) == wanted);
    alone.incomplete.clear();
    alone
}
