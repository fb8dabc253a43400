//! Goal: polls of many executions cost pages, not calls, and no answer is ever old news.
//! Method: whole fleets on a paused clock against a server that writes the time of the request
//! into every instance.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use trapheus_rds::{Class, Database, Identified, Kind, Limits, Rds, ResourceId};

use crate::server::{ORDERS, Reply, Request, Server, cluster, instance, instance_with, orders};

/// Answers every look with the instances asked for, in pages of `page` records, and puts the
/// request's time in milliseconds where the master user's name belongs.
fn describe(request: &Request, page: usize) -> Reply {
    let ids = request.list("Filters.Filter.1.Values.Value.");
    let from: usize = request.get("Marker").parse().unwrap_or(0);
    let at = format!(
        "<MasterUsername>{}</MasterUsername>",
        request.at.as_millis()
    );
    let shown = ids.iter().skip(from).take(page);
    let list: String = shown
        .map(|id| instance_with("orders", id, "available", &at))
        .collect();
    let marker = if from + page < ids.len() {
        format!("<Marker>{}</Marker>", from + page)
    } else {
        String::new()
    };
    Reply::result(
        "DescribeDBInstances",
        format!("<DBInstances>{list}</DBInstances>{marker}"),
    )
}

fn clock() -> Server {
    Server::new(|request| describe(request, 100))
}

fn id(number: usize) -> ResourceId {
    format!("db-{number}").parse().unwrap()
}

/// When the server saw the request that this answer comes from.
fn seen_at(instance: &Database) -> Duration {
    Duration::from_millis(instance.master_username.as_ref().unwrap().parse().unwrap())
}

/// Polls as one execution does, drifting away from the others after its first poll, and checks
/// that each answer is news.
async fn execution(rds: Rds, number: usize, drift: Duration, interval: Duration, polls: u32) {
    let start = Instant::now();
    let mut last = None;
    for poll in 0..polls {
        let instance = rds
            .poll_database(Kind::Instance, &id(number))
            .await
            .unwrap()
            .expect("it is there");
        assert_eq!(instance.resource_id, id(number));
        let (now, seen) = (start.elapsed(), seen_at(&instance));
        assert!(
            now - seen <= Limits::default().page_age_max,
            "{seen:?} is old at {now:?}"
        );
        assert!(
            last.is_none_or(|last| seen > last),
            "the answer of {last:?} came again"
        );
        last = Some(seen);
        sleep(if poll == 0 {
            interval + drift
        } else {
            interval
        })
        .await;
    }
}

/// Runs a fleet and returns what the server was asked.
async fn fleet(size: usize, spread: Duration, interval: Duration, polls: u32) -> Vec<Request> {
    let server = clock();
    let rds = server.door(Limits::default());
    let drift =
        |number: usize| spread * u32::try_from(number).unwrap() / u32::try_from(size).unwrap();
    let fleet: Vec<_> = (0..size)
        .map(|number| {
            tokio::spawn(execution(
                rds.clone(),
                number,
                drift(number),
                interval,
                polls,
            ))
        })
        .collect();
    for execution in fleet {
        execution.await.unwrap();
    }
    let requests = server.requests();
    assert!(
        requests
            .iter()
            .all(|request| request.list("Filters.Filter.1.Values.").len() <= 100)
    );
    requests
}

#[tokio::test(start_paused = true)]
async fn a_fleet_in_step_costs_a_page_for_each_hundred() {
    let requests = fleet(300, Duration::ZERO, Duration::from_secs(10), 10).await;
    assert_eq!(requests.len(), 10 * 3);
}

#[tokio::test(start_paused = true)]
async fn a_fleet_out_of_step_shares_pages_too() {
    let interval = Duration::from_secs(30);
    let per_interval = |requests: Vec<Request>, size: usize, polls: u32| {
        // All of them ask together once, before they drift apart.
        (requests.len() - size / 100) as f64 / f64::from(polls - 1)
    };
    // 300 executions that ask at 300 different moments, ten a second.
    let calls = per_interval(fleet(300, interval, interval, 9).await, 300, 9);
    assert!(
        calls <= 6.0,
        "{calls} calls per interval for 300 executions"
    );
    // A larger fleet fills its pages and pays one call for each hundred.
    let calls = per_interval(fleet(600, interval, interval, 5).await, 600, 5);
    assert!(
        calls <= 7.0,
        "{calls} calls per interval for 600 executions"
    );
}

#[tokio::test(start_paused = true)]
async fn one_execution_alone_always_gets_the_present() {
    let requests = fleet(1, Duration::ZERO, Duration::from_millis(100), 50).await;
    assert_eq!(requests.len(), 50);
}

#[tokio::test(start_paused = true)]
async fn the_same_fleet_asks_the_same_again() {
    let log = |requests: Vec<Request>| -> Vec<String> {
        requests
            .iter()
            .map(|request| format!("{:?} {:?}", request.at, request.parameters))
            .collect()
    };
    let (spread, interval) = (Duration::from_secs(7), Duration::from_secs(3));
    let first = log(fleet(250, spread, interval, 10).await);
    assert_eq!(first, log(fleet(250, spread, interval, 10).await));
}

#[tokio::test(start_paused = true)]
async fn short_pages_are_followed_to_the_end() {
    let server = Server::new(|request| describe(request, 20));
    let rds = server.door(Limits::default());
    let polls: Vec<_> = (0..70)
        .map(|number| {
            let rds = rds.clone();
            tokio::spawn(async move {
                rds.poll_database(Kind::Instance, &id(number))
                    .await
                    .unwrap()
            })
        })
        .collect();
    for poll in polls {
        assert!(poll.await.unwrap().is_some());
    }
    assert_eq!(server.requests().len(), 4);
    assert_eq!(server.last().get("Marker"), "60");
}

#[tokio::test(start_paused = true)]
async fn what_no_page_shows_does_not_exist() {
    let server = Server::new(|_| Reply::instances(&[]));
    let rds = server.door(Limits::default());
    assert_eq!(
        rds.poll_database(Kind::Instance, &id(1)).await.unwrap(),
        None
    );
}

/// A server on which a look takes two seconds and shows `modifying` once a modify has begun.
fn slow_looks() -> Server {
    let modified = Arc::new(AtomicBool::new(false));
    Server::new(move |request| {
        if request.action == "ModifyDBInstance" {
            modified.store(true, Ordering::Relaxed);
            return Reply::result("ModifyDBInstance", instance("orders", ORDERS, "available"));
        }
        let status = if modified.load(Ordering::Relaxed) {
            "modifying"
        } else {
            "available"
        };
        let all = [
            instance("orders", ORDERS, status),
            instance("other", "db-OTHER", "available"),
        ];
        let by_name = !request.get("DBInstanceIdentifier").is_empty();
        let delay = if by_name {
            Duration::ZERO
        } else {
            Duration::from_secs(2)
        };
        Reply::instances(&all).after(delay)
    })
}

async fn status(rds: &Rds, id: &ResourceId) -> String {
    rds.poll_database(Kind::Instance, id)
        .await
        .unwrap()
        .expect("it is there")
        .status
        .to_string()
}

async fn modify(rds: &Rds, of: &Identified) {
    let settings = [("MultiAZ".parse().unwrap(), true.into())].into();
    rds.modify(of, &settings).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_page_in_hand_is_not_used_after_an_own_change() {
    let server = slow_looks();
    let rds = server.door(Limits::default());
    let (of, other) = (orders(), "db-OTHER".parse().unwrap());
    assert_eq!(status(&rds, &of.resource).await, "available");
    // Somebody else's page shows the instance as well, before the change.
    assert_eq!(status(&rds, &other).await, "available");
    modify(&rds, &of).await;
    assert_eq!(status(&rds, &of.resource).await, "modifying");
}

#[tokio::test(start_paused = true)]
async fn a_page_on_its_way_is_not_used_after_an_own_change() {
    let server = slow_looks();
    let rds = server.door(Limits::default());
    let of = orders();
    let poll = tokio::spawn({
        let (rds, id) = (rds.clone(), of.resource.clone());
        async move { status(&rds, &id).await }
    });
    sleep(Duration::from_secs(1)).await;
    modify(&rds, &of).await;
    assert_eq!(poll.await.unwrap(), "modifying");
    let is_page = |request: &&Request| !request.list("Filters.").is_empty();
    assert_eq!(server.requests().iter().filter(is_page).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn when_the_leader_is_dropped_another_leads() {
    let server = Server::new(|request| describe(request, 100).after(Duration::from_secs(2)));
    let rds = server.door(Limits::default());
    let polls: Vec<_> = (0..10)
        .map(|number| {
            let rds = rds.clone();
            tokio::spawn(async move {
                rds.poll_database(Kind::Instance, &id(number))
                    .await
                    .unwrap()
            })
        })
        .collect();
    sleep(Duration::from_secs(1)).await;
    let request = server.last();
    let leader =
        (0..10).position(|n| request.get("Filters.Filter.1.Values.Value.1") == id(n).as_str());
    polls[leader.unwrap()].abort();
    for (number, poll) in polls.into_iter().enumerate() {
        assert_eq!(poll.await.is_ok(), Some(number) != leader);
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_fails_once_for_everybody_who_waits() {
    let server = Server::new(|_| Reply::error(403, "AccessDenied").after(Duration::from_secs(1)));
    let rds = server.door(Limits::default());
    let polls: Vec<_> = (0..100)
        .map(|number| {
            let rds = rds.clone();
            tokio::spawn(async move {
                rds.poll_database(Kind::Instance, &id(number))
                    .await
                    .unwrap_err()
            })
        })
        .collect();
    for poll in polls {
        assert_eq!(poll.await.unwrap().class, Class::Denied);
    }
    assert_eq!(server.requests().len(), 1);
    // Whoever asks afterwards is not served a stale failure.
    rds.poll_database(Kind::Instance, &id(1)).await.unwrap_err();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn clusters_have_pages_of_their_own() {
    let server = Server::new(|request| match request.action.as_str() {
        "DescribeDBInstances" => describe(request, 100),
        _ => {
            let ids = request.list("Filters.Filter.1.Values.Value.");
            let list = ids.iter().map(|id| cluster("orders", id, "available"));
            Reply::clusters(&list.collect::<Vec<_>>())
        }
    });
    let rds = server.door(Limits::default());
    let polls = (0..20).map(|number| {
        let rds = rds.clone();
        tokio::spawn(async move {
            let cluster = format!("cluster-{number}").parse().unwrap();
            let cluster = rds.poll_database(Kind::Cluster, &cluster).await.unwrap();
            assert_eq!(cluster.unwrap().kind, Kind::Cluster);
            rds.poll_database(Kind::Instance, &id(number))
                .await
                .unwrap()
        })
    });
    for poll in polls.collect::<Vec<_>>() {
        assert_eq!(poll.await.unwrap().unwrap().kind, Kind::Instance);
    }
    let actions = server.actions();
    assert_eq!(actions, ["DescribeDBClusters", "DescribeDBInstances"]);
    assert_eq!(
        server.requests()[0].get("Filters.Filter.1.Name"),
        "db-cluster-resource-id"
    );
}
