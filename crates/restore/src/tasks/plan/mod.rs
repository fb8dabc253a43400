//! Plan: the one place where choices are made. Everything is looked at, nothing is changed.

mod choose;
mod create;
mod point_in_time;
mod rollback;
pub(super) mod target;
mod targets;
mod words;

use jiff::Timestamp;
use trapheus_rds::{Class, Database, Kind, Rds, Settings};

use super::{Options, Refusal};
use crate::alert::Notifier;
use crate::checks::snapshot::Receiver;
use crate::checks::{self, Check, alerts, surroundings};
use crate::consequences;
use crate::error::{ErrorName, TaskError};
use crate::forecast::Forecast;
use crate::input::{FinalSnapshot, Request, Task};
use crate::names::{self, Names};
use crate::plan::{Plan, Retirement, SnapshotPlan, Verification};
use crate::saved::Blueprints;
use crate::secrets::Secrets;
use crate::verifier::{Probe, ProbeError, Verifier};
use choose::Chosen;
use target::{Target, original, size};

/// Makes one plan.
pub(super) struct Planner<'a> {
    rds: Rds,
    verifier: &'a dyn Verifier,
    secrets: &'a dyn Secrets,
    blueprints: &'a dyn Blueprints,
    has_login: bool,
    notifier: &'a dyn Notifier,
    now: Timestamp,
    execution: &'a str,
    request: Request,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        rds: Rds,
        options: &'a Options,
        execution: &'a str,
        request: Request,
    ) -> Self {
        Self {
            rds,
            verifier: options.verifier.as_ref(),
            secrets: options.secrets.as_ref(),
            blueprints: options.blueprints.as_ref(),
            has_login: options.login.is_some(),
            notifier: options.notifier.as_ref(),
            now: (options.clock)(),
            execution,
            request,
        }
    }

    pub(super) async fn plan(&self) -> Result<Plan, Refusal> {
        let made = match (&self.request.rollback_of, &self.request.targets) {
            (Some(earlier), _) => self.plan_rollback(earlier).await,
            (None, Some(targets)) => self.plan_targets(targets).await,
            (None, None) => self.plan_restore().await,
        };
        let plan = made.map_err(|error| Refusal { error, plan: None })?;
        let failures: Vec<String> = plan
            .failures()
            .map(|check| format!("{}: {}", check.name, check.detail))
            .collect();
        if failures.is_empty() {
            return Ok(plan);
        }
        let error = TaskError::new(ErrorName::Refused, failures.join("; "));
        Err(Refusal {
            error,
            plan: Some(Box::new(plan)),
        })
    }

    async fn plan_restore(&self) -> Result<Plan, TaskError> {
        let request = &self.request;
        let living = self.target().await?;
        let mut target = match (&living, &request.create_if_missing) {
            (Some(living), _) => target::capture(&self.rds, living, self.now).await?,
            (None, Some(asked)) => self.to_be_made(asked).await?,
            (None, None) => {
                let message = self.missing(&request.identifier).await?;
                return Err(TaskError::new(ErrorName::Refused, message));
            }
        };
        let receiver = match &living {
            Some(living) => Receiver::of(living),
            None => target.receiver(&request.identifier),
        };
        let chosen = choose::choose(&self.rds, request, &receiver, self.now).await?;
        let gib = [living.as_ref().and_then(size), chosen.size()]
            .into_iter()
            .flatten()
            .max()
            .unwrap_or_default();
        let outage = match living {
            Some(_) => words::outage(request, gib),
            None => words::no_outage(),
        };
        let target_checks = std::mem::take(&mut target.checks);
        let mut plan = Plan {
            point_in_time: chosen.point_in_time.clone(),
            original: living.as_ref().map(original),
            expected_outage: outage,
            limits: request.limits(gib),
            ..self.bare(target, chosen.snapshot.clone())
        };
        plan.checks = match &living {
            Some(living) => self.checks(&mut plan, living, &chosen).await?,
            None => self.checks_of_a_new_one(&mut plan, &chosen).await?,
        };
        plan.checks.extend(target_checks);
        self.sql(&mut plan, living.as_ref()).await;
        let told = alerts::choose(self.notifier, &plan, words::expected_seconds(&plan));
        plan.long_running_after_seconds = told.long_running_after_seconds;
        plan.checks.extend(told.check);
        plan.forecast = forecast(&plan, &chosen, living.as_ref());
        plan.steps = words::steps(&plan);
        Ok(plan)
    }

    /// A plan with what the request and the target say, before anything has been looked at.
    fn bare(&self, target: Target, snapshot: Option<SnapshotPlan>) -> Plan {
        let request = &self.request;
        let master_password = checks::password::choose(
            request.master_password.as_ref(),
            target.blueprint.has_managed_password(),
        );
        Plan {
            task: request.task,
            execution: self.execution.to_owned(),
            identifier: request.identifier.clone(),
            kind: target.kind,
            engine: target.engine,
            engine_version: target.engine_version,
            strategy: request.strategy,
            snapshot,
            point_in_time: None,
            keep_original_seconds: request.keep_original_seconds,
            names: Names::of(&request.identifier, self.now),
            original: None,
            blueprint: target.blueprint.with_password(&master_password),
            parts: target.parts,
            custom_endpoints: target.custom_endpoints,
            proxies: Vec::new(),
            forecast: Forecast::default(),
            master_password,
            retirement: Retirement {
                final_snapshot: self.final_snapshot(target.kind),
                automated_backups: request.automated_backups,
            },
            kept_original: None,
            allow_lost: request.allow_lost.clone(),
            verification: Verification::Connection,
            notify: request.notify.clone(),
            long_running_after_seconds: None,
            sql: None,
            rollback: None,
            account: request.account.clone(),
            sharing: None,
            targets: Vec::new(),
            checks: Vec::new(),
            steps: Vec::new(),
            expected_outage: words::no_outage(),
            limits: request.limits(0),
            planned_at: self.now,
            calls: Default::default(),
        }
    }

    /// What the user's SQL needs, and how long it may take.
    async fn sql(&self, plan: &mut Plan, living: Option<&Database>) {
        let chosen = checks::sql::choose(
            &self.request,
            &plan.engine,
            &plan.master_password,
            self.has_login,
        );
        match chosen {
            Ok(None) => {}
            Ok(Some(sql)) => {
                let managed = living.and_then(|living| living.master_user_secret.as_ref());
                plan.checks
                    .push(checks::sql::check(&sql, managed, self.secrets).await);
                if sql.verify.is_some() {
                    plan.limits.verify_seconds += plan.limits.prepare_seconds;
                }
                plan.sql = Some(sql);
            }
            Err(check) => plan.checks.push(check),
        }
    }

    async fn checks(
        &self,
        plan: &mut Plan,
        target: &Database,
        chosen: &Chosen,
    ) -> Result<Vec<Check>, TaskError> {
        let mut checks = vec![checks::target::status(target)];
        checks.extend(chosen.checks.clone());
        let needs = surroundings::Needs::of(plan);
        checks.extend(surroundings::quotas(&self.rds, needs).await);
        if self.request.task == Task::CreateSnapshotOnly {
            return Ok(checks);
        }
        let becomes = self.request.kept_original;
        let found = checks::names::check(&self.rds, plan, Some(target), becomes).await?;
        plan.kept_original = found.kept_original;
        checks.extend(found.checks);
        checks.push(checks::target::replicas(target));
        let replicas = self.request.cross_region_replicas;
        checks.extend(checks::topology::check(&self.rds, target, replicas).await);
        checks.extend(checks::target::attachments(target, &plan.allow_lost));
        checks.push(checks::target::deletion_protection(target));
        checks.extend(self.final_snapshot_is_free(plan).await?);
        let managed = target.master_user_secret.as_ref();
        let password = checks::password::check(&plan.master_password, managed, self.secrets);
        checks.push(password.await);
        checks.extend(surroundings::groups(&self.rds, plan).await);
        if let Some(version) = chosen.engine_version() {
            checks.push(surroundings::version(&self.rds, &target.engine, version).await);
        }
        checks.push(surroundings::blue_green(&self.rds, target).await);
        checks.extend(surroundings::names(&self.rds, target).await);
        checks.push(self.proxies(plan).await);
        checks.push(self.connection(plan, target).await);
        checks.extend(words::consequences(plan));
        Ok(checks)
    }

    /// What must hold where nothing answers at the name yet.
    async fn checks_of_a_new_one(
        &self,
        plan: &mut Plan,
        chosen: &Chosen,
    ) -> Result<Vec<Check>, TaskError> {
        let mut checks = chosen.checks.clone();
        let needs = surroundings::Needs::of(plan);
        checks.extend(surroundings::quotas(&self.rds, needs).await);
        checks.extend(
            checks::names::check(&self.rds, plan, None, None)
                .await?
                .checks,
        );
        let password = checks::password::check(&plan.master_password, None, self.secrets);
        checks.push(password.await);
        checks.extend(surroundings::groups(&self.rds, plan).await);
        if let Some(version) = chosen.engine_version() {
            checks.push(surroundings::version(&self.rds, &plan.engine, version).await);
        }
        plan.verification = Verification::StatusOnly;
        checks.push(Check::warn(
            "connection",
            "whether it can be reached from here isn't known before it exists, so it is taken at RDS's word",
        ));
        Ok(checks)
    }

    /// The proxies that lead to the target are led to the restored database.
    async fn proxies(&self, plan: &mut Plan) -> Check {
        const NAME: &str = "proxies";
        match self.rds.proxies_to(plan.kind, &plan.identifier).await {
            Ok(proxies) if proxies.is_empty() => Check::pass(NAME, "none lead to it"),
            Ok(proxies) => {
                let detail = format!(
                    "{}: led to the restored database at the swap; what they log in with must fit its \
                     passwords",
                    proxies.join(", ")
                );
                plan.proxies = proxies;
                Check::pass(NAME, detail)
            }
            Err(error) if error.class == Class::NotImplemented => {
                Check::pass(NAME, "none; this server knows none")
            }
            Err(error) => Check::warn(NAME, format!("could not be checked: {error}")),
        }
    }

    /// What can't be reached from here now can't be verified from here later.
    async fn connection(&self, plan: &mut Plan, target: &Database) -> Check {
        const NAME: &str = "connection";
        let Some(endpoint) = target.endpoint.clone() else {
            plan.verification = Verification::StatusOnly;
            return Check::warn(NAME, "the target has no endpoint");
        };
        let probe = Probe {
            engine: target.engine.clone(),
            endpoint,
            master_username: target.master_username.clone(),
        };
        match self.verifier.verify(&probe).await {
            Ok(_) => Check::pass(
                NAME,
                "the target answers from here, so the restored database will be asked too",
            ),
            // It can be reached, so Verify can ask; and the password that counts there is the
            // snapshot's, which need not be the target's of today.
            Err(error @ (ProbeError::LoginRefused(_) | ProbeError::WrongProtocol(_))) => {
                Check::warn(
                    NAME,
                    format!("{error}; the restored database will be asked too"),
                )
            }
            Err(error @ ProbeError::Unreachable(_)) => {
                plan.verification = Verification::StatusOnly;
                let detail = format!("{error}; so the restored database is taken at RDS's word");
                Check::warn(NAME, detail)
            }
        }
    }

    /// An original whose final snapshot can't be made is not deleted.
    async fn final_snapshot_is_free(&self, plan: &Plan) -> Result<Option<Check>, TaskError> {
        const NAME: &str = "final snapshot";
        let Some(id) = &plan.retirement.final_snapshot else {
            return Ok(None);
        };
        let holder = self.rds.snapshot(plan.kind, &id.clone().into()).await?;
        Ok(Some(match holder {
            None => Check::pass(NAME, format!("the name {id} is free")),
            Some(_) => Check::fail(NAME, format!("there is a snapshot {id} already")),
        }))
    }

    fn final_snapshot(&self, kind: Kind) -> Option<trapheus_rds::SnapshotId> {
        match &self.request.final_snapshot {
            FinalSnapshot::Skip => None,
            FinalSnapshot::Make => Some(names::final_snapshot(
                kind,
                &self.request.identifier,
                self.now,
            )),
            FinalSnapshot::Named(id) => Some(id.clone()),
        }
    }
}

/// What the fidelity report of a plan will say.
fn forecast(plan: &Plan, chosen: &Chosen, original: Option<&Database>) -> Forecast {
    let mut forecast = Forecast::default();
    forecast.add(&plan.identifier, &plan.blueprint, &chosen.stored);
    for part in &plan.parts {
        forecast.add(&part.names.target, &part.blueprint, &Settings::new());
    }
    if let Some(original) = original {
        forecast.breaks = consequences::of(original, plan.retirement.automated_backups);
    }
    forecast
}
