//! The plan of a restore in other accounts and Regions: how the snapshot gets there, and whether
//! each place is ready for it. Everything is looked at, in all of them, before anything changes.

use trapheus_rds::{
    Account, AccountId, Arn, Database, Kind, Rds, RegionId, RoleArn, Snapshot, SnapshotKind,
    SubnetGroup,
};

use super::{Chosen, Planner, choose, create, target, words};
use crate::checks::{self, Check, alerts, surroundings};
use crate::error::{ErrorName, TaskError};
use crate::input::{Place, Targets};
use crate::names;
use crate::plan::{Plan, Verification};
use crate::saved::SavedBlueprint;
use crate::targets::{CopyPlan, SharingPlan, TargetPlan, fitted};

/// The key that RDS makes for each account: it can't be shared, and every account has it.
const DEFAULT_KEY: &str = "alias/aws/rds";

const NAME: &str = "sharing";

impl Planner<'_> {
    pub(super) async fn plan_targets(&self, asked: &Targets) -> Result<Plan, TaskError> {
        let request = &self.request;
        let (snapshot, saved) = self.snapshot_and_blueprint().await?;
        let blueprint_of = saved.resource_id.clone();
        let made = create::made_like(saved, &request.identifier, self.now);
        let receiver = made.receiver(&request.identifier);
        let chosen = choose::existing(&snapshot, request, &receiver, self.now);
        let mut checks = made.checks.clone();
        checks.extend(chosen.checks.clone());
        let gib = chosen.size().unwrap_or_default();
        let mut plan = Plan {
            sharing: None,
            targets: self.places(asked, &snapshot)?,
            expected_outage: words::no_outage(),
            verification: Verification::StatusOnly,
            limits: request.limits(gib),
            ..self.bare(made, chosen.snapshot.clone())
        };
        let sharing = self.sharing(asked, &snapshot, &plan, blueprint_of).await?;
        checks.extend(sharing.1);
        plan.sharing = Some(sharing.0);
        for number in 0..plan.targets.len() {
            checks.extend(
                self.place(asked, &mut plan, number, &snapshot, &chosen)
                    .await?,
            );
        }
        plan.checks = checks;
        self.sql(&mut plan, None).await;
        let told = alerts::choose(self.notifier, &plan, words::expected_seconds(&plan));
        plan.long_running_after_seconds = told.long_running_after_seconds;
        plan.checks.extend(told.check);
        plan.steps = words::steps(&plan);
        Ok(plan)
    }

    /// The snapshot, and the configuration that it is restored with.
    async fn snapshot_and_blueprint(&self) -> Result<(Snapshot, SavedBlueprint), TaskError> {
        let request = &self.request;
        let kinds = [Kind::Instance, Kind::Cluster].into_iter().filter(|kind| {
            request
                .is_cluster
                .is_none_or(|is| is == (*kind == Kind::Cluster))
        });
        let mut missing = Vec::new();
        for kind in kinds {
            let snapshot = match choose::find(&self.rds, kind, request).await? {
                Ok(snapshot) => snapshot,
                Err(check) => {
                    missing.push(check.detail);
                    continue;
                }
            };
            let given = request.create_if_missing.as_ref();
            if let Some(given) = given.and_then(|given| given.blueprint.as_deref()) {
                return Ok((snapshot, given.clone()));
            }
            if let Some(saved) = self.blueprint_of(&snapshot).await? {
                return Ok((snapshot, saved));
            }
            if let Some(source) = self.rds.database(kind, &request.source).await? {
                let captured = target::capture(&self.rds, &source, self.now).await?;
                let saved = SavedBlueprint::of(captured, &source, self.now);
                return Ok((snapshot, saved));
            }
            missing.push(format!(
                "nothing says how {} was configured: it does not exist any more, and its snapshot carries \
                 no blueprint; name one: \"createIfMissing\": {{\"blueprint\": …}}",
                request.source
            ));
        }
        Err(TaskError::new(ErrorName::Refused, missing.join("; ")))
    }

    /// Every Region of every account, with what the input says of it.
    fn places(&self, asked: &Targets, snapshot: &Snapshot) -> Result<Vec<TargetPlan>, TaskError> {
        let home = home(snapshot)?;
        let own = |given: &[AccountId]| match given.is_empty() {
            true => vec![home.0.clone()],
            false => given.to_vec(),
        };
        let regions = match asked.regions.is_empty() {
            true => vec![home.1.clone()],
            false => asked.regions.clone(),
        };
        let mut targets = Vec::new();
        for id in own(&asked.accounts) {
            for region in &regions {
                let places = asked.places.iter();
                let place = places
                    .filter(|place| place.holds_for(&id, region))
                    .fold(Place::default(), Place::with);
                let role = place.role.as_ref().or(asked.role.as_ref());
                let partition = snapshot.arn.partition();
                let role = role.map(|role| RoleArn::in_account(role, partition, &id));
                let role = role
                    .transpose()
                    .map_err(|error| refused(error.to_string()))?;
                targets.push(TargetPlan {
                    account: Account {
                        id: id.clone(),
                        region: region.clone(),
                        role,
                        external_id: place.external_id.clone(),
                    },
                    copy: self.copy_there(snapshot, &place, region, &home.1),
                    place,
                });
            }
        }
        Ok(targets)
    }

    /// Shared snapshots that are encrypted have to be copied under a key of the account, and all of
    /// them into another Region.
    fn copy_there(
        &self,
        snapshot: &Snapshot,
        place: &Place,
        region: &RegionId,
        home: &RegionId,
    ) -> Option<CopyPlan> {
        let key = || {
            place
                .kms_key
                .clone()
                .unwrap_or_else(|| DEFAULT_KEY.to_owned())
        };
        (snapshot.encrypted || region != home).then(|| CopyPlan {
            id: names::copy_there(snapshot.of, &snapshot.source, self.now),
            kms_key_id: snapshot.encrypted.then(key),
            option_group: place.option_group.clone(),
        })
    }

    async fn sharing(
        &self,
        asked: &Targets,
        snapshot: &Snapshot,
        plan: &Plan,
        blueprint_of: trapheus_rds::ResourceId,
    ) -> Result<(SharingPlan, Vec<Check>), TaskError> {
        let home = home(snapshot)?;
        let mut others: Vec<AccountId> = Vec::new();
        for target in &plan.targets {
            if target.account.id != home.0 && !others.contains(&target.account.id) {
                others.push(target.account.id.clone());
            }
        }
        let mut checks = Vec::new();
        if snapshot.of == Kind::Cluster && !snapshot.engine.starts_with("aurora") {
            let detail = "the snapshot of a Multi-AZ DB cluster can be neither shared nor copied";
            checks.push(Check::fail(NAME, detail));
        }
        let key = asked
            .share_key
            .as_ref()
            .filter(|key| snapshot.encrypted && snapshot.kms_key_id.as_ref() != Some(key));
        let is_copied =
            !others.is_empty() && (snapshot.kind != SnapshotKind::Manual || key.is_some());
        let copy = is_copied.then(|| CopyPlan {
            id: names::shared_copy(snapshot.of, &snapshot.source, self.now),
            kms_key_id: key.cloned(),
            option_group: None,
        });
        let before = match (&copy, others.is_empty()) {
            (None, false) => self.rds.shared_with(snapshot).await?,
            _ => Vec::new(),
        };
        let is_new = |account: &AccountId| {
            !before
                .iter()
                .any(|known| known == "all" || known == account.as_str())
        };
        let with: Vec<AccountId> = others.iter().filter(|one| is_new(one)).cloned().collect();
        checks.extend(self.how_shared(snapshot, &others, &with, copy.as_ref(), key.is_some()));
        let sharing = SharingPlan {
            with,
            copy,
            blueprint_of,
        };
        Ok((sharing, checks))
    }

    fn how_shared(
        &self,
        snapshot: &Snapshot,
        others: &[AccountId],
        with: &[AccountId],
        copy: Option<&CopyPlan>,
        has_key: bool,
    ) -> Vec<Check> {
        let texts: Vec<&str> = with.iter().map(AccountId::as_str).collect();
        let what = copy.map_or(snapshot.id.as_str(), |copy| copy.id.as_str());
        let detail = match texts.is_empty() {
            true => "no other account needs it".to_owned(),
            false => format!(
                "{what} is shared with {} until all have it",
                texts.join(", ")
            ),
        };
        let mut checks = vec![Check::pass(NAME, detail)];
        if snapshot.encrypted && !others.is_empty() && !has_key {
            let detail = format!(
                "it is encrypted with {}: the other accounts must be allowed to use that key, and AWS's own \
                 key for RDS allows nobody; to share a copy under another key: \"shareKmsKeyId\": \"…\"",
                snapshot.kms_key_id.as_deref().unwrap_or("a key")
            );
            checks.push(Check::warn("encryption", detail));
        }
        checks
    }

    /// Whether one place is ready. What is chosen there goes into the plan.
    async fn place(
        &self,
        asked: &Targets,
        plan: &mut Plan,
        number: usize,
        snapshot: &Snapshot,
        chosen: &Chosen,
    ) -> Result<Vec<Check>, TaskError> {
        let target = plan.targets[number].clone();
        let label = target.account.to_string();
        let home = home(snapshot)?;
        if (&target.account.id, &target.account.region) == (&home.0, &home.1) {
            let detail = "the snapshot is here: the task `db_restore` restores it";
            return Ok(vec![Check::fail(&label, detail)]);
        }
        if target.account.role.is_none() && target.account.id != home.0 {
            let detail = "which role is assumed there? \"AutomationAssumeRole\": its name or ARN";
            return Ok(vec![Check::fail(&label, detail)]);
        }
        let rds = match self.rds.in_account(&target.account, self.execution).await {
            Ok(rds) => rds,
            Err(error) => return passing_or(error.into(), &label),
        };
        let found = self.look_around(&rds, asked, plan, number, &snapshot.arn, chosen);
        let checks = match found.await {
            Ok(checks) => checks,
            Err(error) => return passing_or(error, &label),
        };
        let labelled = checks.into_iter().map(|check| Check {
            name: format!("{label} {}", check.name),
            ..check
        });
        Ok(labelled.collect())
    }

    async fn look_around(
        &self,
        rds: &Rds,
        asked: &Targets,
        plan: &mut Plan,
        number: usize,
        home: &Arn,
        chosen: &Chosen,
    ) -> Result<Vec<Check>, TaskError> {
        let becomes = self.request.kept_original;
        let living = rds.database(plan.kind, &plan.identifier).await?;
        if let Some(living) = &living {
            let mut checks = vec![checks::target::status(living)];
            checks.push(replaced(living));
            let found = checks::names::check(rds, plan, Some(living), becomes).await?;
            checks.extend(found.checks);
            return Ok(checks);
        }
        let mut checks = vec![self.subnet_group(rds, asked, plan, number).await?];
        let target = &plan.targets[number];
        let (blueprint, mut lost) = fitted(&plan.blueprint, home, target);
        let mut there = Plan {
            blueprint,
            ..plan.clone()
        };
        for part in &mut there.parts {
            let (blueprint, of_part) = fitted(&part.blueprint, home, target);
            part.blueprint = blueprint;
            part.original = None;
            lost.extend(of_part);
        }
        lost.sort_unstable();
        lost.dedup();
        if !lost.is_empty() {
            let detail = format!(
                "{}: as RDS chooses there, because what it is here is unknown there",
                lost.join(", ")
            );
            checks.push(Check::warn("configuration", detail));
        }
        checks.extend(surroundings::groups(rds, &there).await);
        checks.extend(surroundings::quotas(rds, surroundings::Needs::of(&there)).await);
        let found = checks::names::check(rds, &there, None, becomes).await?;
        checks.extend(found.checks);
        if let Some(version) = chosen.engine_version() {
            checks.push(surroundings::version(rds, &plan.engine, version).await);
        }
        Ok(checks)
    }

    /// Chooses the subnet group: the one that the input names, the one of the same name, or the only
    /// one in the VPC.
    async fn subnet_group(
        &self,
        rds: &Rds,
        asked: &Targets,
        plan: &mut Plan,
        number: usize,
    ) -> Result<Check, TaskError> {
        const NAME: &str = "subnet group";
        let groups = match rds.subnet_groups().await {
            Ok(groups) => groups,
            Err(error) => return Ok(Check::warn(NAME, format!("could not be checked: {error}"))),
        };
        let own = plan.blueprint.settings.get("DBSubnetGroupName");
        let own = own.and_then(|own| own.as_str());
        let place = &mut plan.targets[number].place;
        let wanted = place.subnet_group.as_deref().or(own);
        let Some(wanted) = wanted.or(asked.vpc.as_deref()) else {
            return Ok(Check::pass(NAME, "none is asked for"));
        };
        let fits = |group: &&SubnetGroup| asked.vpc.as_ref().is_none_or(|vpc| *vpc == group.vpc);
        let mut named = groups.iter().filter(|group| group.name == wanted);
        if let Some(group) = named.find(fits) {
            return Ok(Check::pass(
                NAME,
                format!("{} in {}", group.name, group.vpc),
            ));
        }
        let of_the_vpc: Vec<&SubnetGroup> = groups.iter().filter(fits).collect();
        if let (None, [only], Some(_)) = (&place.subnet_group, of_the_vpc.as_slice(), &asked.vpc) {
            place.subnet_group = Some(only.name.clone());
            return Ok(Check::warn(
                NAME,
                format!("{}, the only one in {}", only.name, only.vpc),
            ));
        }
        let names: Vec<&str> = of_the_vpc.iter().map(|group| group.name.as_str()).collect();
        let vpc = asked
            .vpc
            .as_ref()
            .map(|vpc| format!(" in {vpc}"))
            .unwrap_or_default();
        let detail = format!(
            "there is no {wanted}{vpc}; name one in `targets`: \"dbSubnetGroupName\": one of: {}",
            names.join(", ")
        );
        Ok(Check::fail(NAME, detail))
    }
}

/// Where a snapshot is.
fn home(snapshot: &Snapshot) -> Result<(AccountId, RegionId), TaskError> {
    let arn = &snapshot.arn;
    let unreadable =
        |error: trapheus_rds::IdError| TaskError::new(ErrorName::Internal, error.to_string());
    let account = arn.account().parse().map_err(unreadable)?;
    let region = arn.region().parse().map_err(unreadable)?;
    Ok((account, region))
}

fn replaced(living: &Database) -> Check {
    let detail = format!(
        "{} exists there and is replaced; it keeps its own configuration",
        living.identifier
    );
    Check::warn("target", detail)
}

/// What may go better in a moment is tried again; anything else is a verdict.
fn passing_or(error: TaskError, label: &str) -> Result<Vec<Check>, TaskError> {
    match error.name.is_passing() {
        true => Err(error),
        false => Ok(vec![Check::fail(label, error.cause.text())]),
    }
}

fn refused(message: String) -> TaskError {
    TaskError::new(ErrorName::Refused, message)
}
