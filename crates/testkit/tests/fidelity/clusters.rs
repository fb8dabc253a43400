//! Every attribute of a cluster and of its members, of every kind of cluster.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;
use trapheus_testkit::{Element, Simulation};

use crate::cluster_originals::{
    FLAVOURS, Flavour, MEMBERS, create_snapshot, custom_endpoints, describe, make, why_not_varied,
};
use crate::facts;
use crate::fates::{Fate, fates};
use crate::kept;

type Fates = BTreeMap<String, Fate>;

/// What became of the attributes of a cluster, and of its members by all of them together.
struct Trial {
    cluster: Fates,
    members: Fates,
}

async fn trial(flavour: Flavour, own_snapshot: bool, strategy: &str) -> Trial {
    let simulation = Simulation::new(1).await;
    let (plain, plain_member) = make(&simulation, flavour).await;
    let source = if own_snapshot { "orders" } else { "plain" };
    create_snapshot(&simulation, source).await;

    let before = describe(&simulation, "orders").await;
    let members_before = members(&simulation, &before).await;
    let endpoints_before = custom_endpoints(&simulation).await;

    let input = json!({
        "task": "db_restore", "identifier": "orders", "sourceIdentifier": source,
        "strategy": strategy, "isCluster": true,
    });
    let run = simulation.run(input).await;
    let what = format!("{} by {strategy}: {:#?}", flavour.name, run.summary.error);
    assert_eq!(run.summary.exit_code(), 0, "{what}");
    let after = describe(&simulation, "orders").await;
    let members_after = members(&simulation, &after).await;
    assert_ne!(
        before.values("DbClusterResourceId"),
        after.values("DbClusterResourceId")
    );
    assert_eq!(members_before.len(), MEMBERS.len());
    assert_eq!(custom_endpoints(&simulation).await, endpoints_before);

    let mut of_members = Fates::new();
    let facts = facts::of("db_cluster_member", "CreateDBInstance");
    for (name, before) in &members_before {
        let after = &members_after[name];
        for (attribute, fate) in fates(&facts, &plain_member, before, after) {
            let all = of_members.entry(attribute).or_insert(fate);
            // One that lost it is worse than any that kept it.
            *all = if *all == Fate::NotVaried || fate == Fate::Lost {
                fate
            } else {
                *all
            };
        }
    }
    Trial {
        cluster: fates(
            &facts::of("db_cluster", "CreateDBCluster"),
            &plain,
            &before,
            &after,
        ),
        members: of_members,
    }
}

async fn members(simulation: &Simulation, cluster: &Element) -> BTreeMap<String, Element> {
    let mut members = BTreeMap::new();
    let list = cluster
        .child("DBClusterMembers")
        .expect("it lists its members");
    for member in &list.children {
        let name = member.text_of("DBInstanceIdentifier");
        members.insert(
            name.to_owned(),
            crate::originals::describe(simulation, name).await,
        );
    }
    members
}

#[tokio::test(start_paused = true)]
async fn every_attribute_of_every_kind_of_cluster_survives() {
    let mut own = Vec::new();
    let mut others = Vec::new();
    for flavour in FLAVOURS {
        own.push(trial(flavour, true, "swap").await);
        others.push(trial(flavour, false, "in_place").await);
    }
    let mut unexplained = Vec::new();
    let mut table = |(subject, kind, python): (&str, &str, &str),
                     request: &str,
                     of: fn(&Trial) -> &Fates| {
        let mut text = String::new();
        let mut outcomes = BTreeMap::new();
        for fact in facts::of(subject, request) {
            let attribute = fact.attribute.as_str();
            let is_of = |flavour: Flavour| match subject {
                "db_cluster" => flavour.has(&fact),
                _ => flavour.is_aurora,
            };
            let mut cells: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for (position, flavour) in FLAVOURS.into_iter().enumerate() {
                let (own, others) = (of(&own[position]), of(&others[position]));
                let cell = if !is_of(flavour) {
                    continue;
                } else if fact.path.is_none() {
                    "not shown"
                } else if others.get(attribute) == Some(&Fate::Kept) {
                    "kept"
                } else if own.get(attribute) == Some(&Fate::Kept) {
                    "with the data"
                } else if let Some(why) = why_not_varied(attribute, flavour) {
                    why
                } else {
                    unexplained.push(format!("{attribute} of {}", flavour.name));
                    "?"
                };
                cells.entry(cell).or_default().push(flavour.name);
            }
            let outcome = kept::together(cells.keys().copied());
            outcomes.insert(fact.attribute.clone(), outcome);
            let parts: Vec<String> = cells
                .iter()
                .map(|(cell, of)| format!("{cell} ({})", of.join(", ")))
                .collect();
            writeln!(text, "{attribute}: {}", parts.join("; ")).expect("a text takes everything");
        }
        let facts = facts::of(subject, request);
        kept::assert_documented(kind, &facts, |name| outcomes[name].clone(), python);
        text
    };
    let cluster = ("db_cluster", "DB cluster", "6 of 39 | 18 of 35");
    let member = ("db_cluster_member", "cluster's member", "2 | 20 of 31");
    let clusters = table(cluster, "CreateDBCluster", |trial| &trial.cluster);
    let members = table(member, "CreateDBInstance", |trial| &trial.members);
    assert_eq!(
        unexplained,
        Vec::<String>::new(),
        "neither varied nor explained"
    );
    insta::assert_snapshot!("clusters", clusters);
    insta::assert_snapshot!("members", members);
}
