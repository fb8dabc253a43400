//! Plan: the one place where choices are made. Everything is looked at, nothing is changed.

mod choose;
mod point_in_time;
mod rollback;
mod words;

use jiff::Timestamp;
use trapheus_rds::{Database, DbIdentifier, Kind, Rds};

use super::{Options, Refusal};
use crate::blueprint::Blueprint;
use crate::checks::{self, Check, surroundings};
use crate::error::{ErrorName, TaskError};
use crate::input::{FinalSnapshot, Request, Task};
use crate::limits::Limits;
use crate::marks::{self, Marks, Role};
use crate::names::{self, Names};
use crate::plan::{Original, Plan, Retirement, Verification};
use crate::secrets::Secrets;
use crate::verifier::{Probe, ProbeError, Verifier};
use choose::Chosen;

/// Makes one plan.
pub(super) struct Planner<'a> {
    rds: Rds,
    verifier: &'a dyn Verifier,
    secrets: &'a dyn Secrets,
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
            now: (options.clock)(),
            execution,
            request,
        }
    }

    pub(super) async fn plan(&self) -> Result<Plan, Refusal> {
        let made = match &self.request.rollback_of {
            Some(earlier) => self.plan_rollback(earlier).await,
            None => self.plan_restore().await,
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
        let target = self.target().await?;
        let chosen = choose::choose(&self.rds, request, &target, self.now).await?;
        let names = Names::of(&request.identifier, self.now);
        let master_password = checks::password::choose(
            request.master_password.as_ref(),
            target.master_user_secret.is_some(),
        );
        let blueprint = Blueprint::of(&target).with_password(&master_password);
        let gib = [size(&target), chosen.size()]
            .into_iter()
            .flatten()
            .max()
            .unwrap_or_default();
        let mut plan = Plan {
            task: request.task,
            execution: self.execution.to_owned(),
            identifier: request.identifier.clone(),
            kind: Kind::Instance,
            engine: target.engine.clone(),
            engine_version: target.engine_version.clone(),
            strategy: request.strategy,
            snapshot: chosen.snapshot.clone(),
            point_in_time: chosen.point_in_time.clone(),
            keep_original_seconds: request.keep_original_seconds,
            names,
            original: original(&target),
            blueprint,
            master_password,
            retirement: Retirement {
                final_snapshot: self.final_snapshot(),
                automated_backups: request.automated_backups,
            },
            kept_original: None,
            allow_lost: request.allow_lost.clone(),
            verification: Verification::Connection,
            rollback: None,
            checks: Vec::new(),
            steps: Vec::new(),
            expected_outage: words::outage(request, gib),
            limits: Limits::for_storage(gib),
            planned_at: self.now,
            calls: Default::default(),
        };
        plan.checks = self.checks(&mut plan, &target, &chosen).await?;
        plan.steps = words::steps(&plan);
        Ok(plan)
    }

    /// Finds the target, or says what is there instead.
    async fn target(&self) -> Result<Database, TaskError> {
        let id = &self.request.identifier;
        let refuse = |message: String| Err(TaskError::new(ErrorName::Refused, message));
        let Some(target) = self.rds.instance(id).await? else {
            return match (self.is_cluster(id).await?, self.request.is_cluster) {
                (true, Some(false)) => refuse(format!(
                    "{id} is a cluster, and `isCluster` says that it is none"
                )),
                (true, _) => refuse(format!("{id} is a cluster: clusters are not supported yet")),
                (false, _) => refuse(self.missing(id).await?),
            };
        };
        if self.request.is_cluster == Some(true) {
            return refuse(format!(
                "{id} is no cluster, and `isCluster` says that it is one"
            ));
        }
        if let Some(cluster) = &target.cluster {
            return refuse(format!(
                "{id} is a member of the cluster {cluster}: clusters are not supported yet"
            ));
        }
        Ok(target)
    }

    /// Says that nothing answers at the name, and why where another execution has moved it aside.
    async fn missing(&self, id: &DbIdentifier) -> Result<String, TaskError> {
        let aside = Names::of(id, self.now).aside;
        let holder = self.rds.instance(&aside).await?;
        let marks = holder.as_ref().map(|holder| Marks(&holder.tags));
        let mover =
            marks.filter(|marks| marks.is(Role::Original) && marks.target() == Some(id.as_str()));
        Ok(match mover.and_then(Marks::owner) {
            Some(owner) => format!(
                "{id} is being restored by another execution, {owner}, which has moved the original to {aside}; \
                 if nobody is at work on it any more: trapheus executions resume {owner}"
            ),
            None => format!("there is no database {id} in this account and Region"),
        })
    }

    /// A server that knows no clusters has none.
    async fn is_cluster(&self, id: &DbIdentifier) -> Result<bool, TaskError> {
        match self.rds.cluster(id).await.map_err(TaskError::from) {
            Err(error) if error.name.is_passing() => Err(error),
            answer => Ok(answer.is_ok_and(|cluster| cluster.is_some())),
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
        let snapshots = i64::from(
            plan.snapshot
                .as_ref()
                .is_some_and(|snapshot| snapshot.create),
        );
        if self.request.task == Task::CreateSnapshotOnly {
            let needs = surroundings::Needs {
                instances: 0,
                snapshots,
                storage_gib: 0,
            };
            checks.extend(surroundings::quotas(&self.rds, needs).await);
            return Ok(checks);
        }
        let found = checks::names::check(
            &self.rds,
            &plan.names,
            self.execution,
            target,
            self.request.kept_original,
        );
        let found = found.await?;
        plan.kept_original = found.kept_original;
        checks.extend(found.checks);
        checks.push(checks::target::replicas(target));
        let replicas = self.request.cross_region_replicas;
        checks.extend(checks::topology::check(&self.rds, target, replicas).await);
        checks.extend(checks::target::attachments(target, &plan.allow_lost));
        checks.push(checks::target::deletion_protection(target));
        let password = checks::password::check(&plan.master_password, target, self.secrets);
        checks.push(password.await);
        checks.extend(checks::target::identity(target));
        checks.extend(surroundings::groups(&self.rds, target).await);
        if let Some(version) = chosen.engine_version() {
            checks.push(surroundings::version(&self.rds, &target.engine, version).await);
        }
        checks.push(surroundings::blue_green(&self.rds, target).await);
        checks.extend(surroundings::names(&self.rds, target).await);
        let storage_gib = size(target)
            .unwrap_or_default()
            .try_into()
            .unwrap_or(i64::MAX);
        let needs = surroundings::Needs {
            instances: 1,
            snapshots,
            storage_gib,
        };
        checks.extend(surroundings::quotas(&self.rds, needs).await);
        checks.push(self.connection(plan, target).await);
        checks.extend(words::consequences(plan));
        Ok(checks)
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

    fn final_snapshot(&self) -> Option<trapheus_rds::SnapshotId> {
        match &self.request.final_snapshot {
            FinalSnapshot::Skip => None,
            FinalSnapshot::Make => Some(names::final_snapshot(&self.request.identifier, self.now)),
            FinalSnapshot::Named(id) => Some(id.clone()),
        }
    }
}

fn original(target: &Database) -> Original {
    Original {
        resource_id: target.resource_id.clone(),
        endpoint: target.endpoint.clone(),
        allocated_storage_gib: size(target),
        marks: marks::own(&target.tags),
    }
}

fn size(instance: &Database) -> Option<u64> {
    instance.settings.get("AllocatedStorage")?.as_u64()
}
