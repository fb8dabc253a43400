//! Goal: a call is counted, limited in time and repeated exactly when that is safe, and every
//! way to fail gets the right class. Method: a scripted server on a paused clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::server::{ORDERS, Reply, Request, Server, instance, orders};
use tokio::time::Instant;
use trapheus_rds::{AutomatedBackups, Class, Error, FinalSnapshot, Limits, Rds};

/// A server that knows one instance and answers the first `times` requests of `action` otherwise.
fn failing(action: &'static str, times: usize, reply: Reply) -> Server {
    let left = Arc::new(AtomicUsize::new(times));
    let is_next = move || {
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
            .is_ok()
    };
    Server::new(move |request: &Request| {
        if request.action == action && is_next() {
            return reply.clone();
        }
        match request.action.as_str() {
            "DescribeDBInstances" => Reply::instances(&[instance("orders", ORDERS, "available")]),
            action => Reply::result(action, instance("orders", ORDERS, "modifying")),
        }
    })
}

async fn look(rds: &Rds) -> Result<(), Error> {
    rds.instance(&orders().name).await.map(|_| ())
}

async fn reboot(rds: &Rds) -> Result<(), Error> {
    rds.reboot(&orders()).await.map(|_| ())
}

fn count(server: &Server, action: &str) -> usize {
    server
        .actions()
        .iter()
        .filter(|name| *name == action)
        .count()
}

#[tokio::test(start_paused = true)]
async fn throttled_calls_are_repeated_whether_they_look_or_act() {
    let throttled = Reply::error(400, "Throttling");
    let server = failing("DescribeDBInstances", 2, throttled.clone());
    look(&server.door(Limits::default())).await.unwrap();
    assert_eq!(count(&server, "DescribeDBInstances"), 3);

    let server = failing("RebootDBInstance", 2, throttled);
    reboot(&server.door(Limits::default())).await.unwrap();
    assert_eq!(count(&server, "RebootDBInstance"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_stays_throttled_fails_after_the_attempts_allowed() {
    let server = failing(
        "DescribeDBInstances",
        usize::MAX,
        Reply::error(400, "ThrottlingException"),
    );
    let rds = server.door(Limits {
        attempts_max: 4,
        ..Limits::default()
    });
    let start = Instant::now();
    let error = look(&rds).await.unwrap_err();
    assert_eq!(
        (error.class, error.code.as_deref()),
        (Class::Throttled, Some("ThrottlingException"))
    );
    assert_eq!(count(&server, "DescribeDBInstances"), 4);
    assert!(
        start.elapsed() > Duration::ZERO,
        "there was no wait between attempts"
    );
}

#[tokio::test(start_paused = true)]
async fn uncertain_answers_are_repeated_only_when_nothing_can_happen_twice() {
    let uncertain = [
        Reply::error(500, "InternalFailure"),
        Reply::error(503, "ServiceUnavailable"),
        Reply::error(500, "SomethingNew"),
        Reply::Html(502),
        Reply::Disconnect,
        Reply::Never,
        Reply::Xml(200, "<Reboot".to_owned()),
    ];
    for reply in uncertain {
        let server = failing("DescribeDBInstances", 1, reply.clone());
        look(&server.door(Limits::default())).await.unwrap();
        assert_eq!(count(&server, "DescribeDBInstances"), 2, "{reply:?}");

        let server = failing("RebootDBInstance", 1, reply.clone());
        let error = reboot(&server.door(Limits::default())).await.unwrap_err();
        assert_eq!(error.class, Class::Unavailable, "{reply:?}");
        assert_eq!(count(&server, "RebootDBInstance"), 1, "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_never_succeed_is_not_repeated() {
    for (code, class) in [
        ("InvalidParameterValue", Class::Invalid),
        ("AccessDenied", Class::Denied),
        ("InvalidDBInstanceState", Class::WrongStateNow),
        ("InsufficientDBInstanceCapacity", Class::NoCapacity),
        ("InstanceQuotaExceeded", Class::QuotaExceeded),
        ("SomethingNew", Class::Unknown),
    ] {
        let server = failing("DescribeDBInstances", usize::MAX, Reply::error(400, code));
        let error = look(&server.door(Limits::default())).await.unwrap_err();
        assert_eq!(error.class, class, "{code}");
        assert_eq!(
            error.to_string(),
            format!("DescribeDBInstances: because of {code}")
        );
        assert_eq!(server.requests().len(), 1, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_page_means_a_missing_operation_to_a_look_and_nothing_to_an_act() {
    let server = Server::new(|request| match request.action.as_str() {
        "DescribeDBInstances" => Reply::instances(&[instance("orders", ORDERS, "available")]),
        _ => Reply::Html(500),
    });
    let rds = server.door(Limits::default());
    assert_eq!(rds.quotas().await.unwrap_err().class, Class::NotImplemented);
    assert_eq!(count(&server, "DescribeAccountAttributes"), 1);
    assert_eq!(reboot(&rds).await.unwrap_err().class, Class::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_call_has_its_own_time() {
    let limits = Limits {
        attempts_max: 1,
        ..Limits::default()
    };
    let server = failing("DescribeDBInstances", usize::MAX, Reply::Never);
    let start = Instant::now();
    let error = look(&server.door(limits.clone())).await.unwrap_err();
    assert_eq!(error.class, Class::Unavailable);
    assert_eq!(start.elapsed().as_secs(), limits.read_timeout.as_secs());

    let slow = Reply::result("RebootDBInstance", instance("orders", ORDERS, "rebooting"));
    let slow = slow.after(limits.read_timeout * 2);
    reboot(&failing("RebootDBInstance", 1, slow).door(limits))
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_sdk_does_not_repeat_on_its_own() {
    let server = failing(
        "RebootDBInstance",
        usize::MAX,
        Reply::error(503, "ServiceUnavailable"),
    );
    reboot(&server.door(Limits::default())).await.unwrap_err();
    assert_eq!(count(&server, "RebootDBInstance"), 1);
}

#[tokio::test(start_paused = true)]
async fn attempts_are_counted_by_handle_and_for_the_whole_door() {
    let server = failing("DescribeDBInstances", 1, Reply::error(400, "Throttling"));
    let rds = server.door(Limits::default());
    let (one, ones) = rds.counting();
    let (other, others) = rds.counting();
    look(&one).await.unwrap();
    other
        .delete(&orders(), &FinalSnapshot::Skip, AutomatedBackups::Keep)
        .await
        .unwrap();
    let expected = |pairs: &[(&str, u64)]| {
        pairs
            .iter()
            .map(|(name, n)| ((*name).to_owned(), *n))
            .collect()
    };
    assert_eq!(ones.counts(), expected(&[("DescribeDBInstances", 2)]));
    assert_eq!(
        others.counts(),
        expected(&[("DeleteDBInstance", 1), ("DescribeDBInstances", 1)])
    );
    assert_eq!(
        rds.all_calls().counts(),
        expected(&[("DeleteDBInstance", 1), ("DescribeDBInstances", 3)])
    );
}

#[tokio::test(start_paused = true)]
async fn all_handles_of_a_door_keep_one_pace() {
    let server = failing("", 0, Reply::Never);
    let rds = server.door(Limits {
        calls_per_second: 10.0,
        burst: 10,
        ..Limits::default()
    });
    let tasks: Vec<_> = (0..110)
        .map(|_| {
            let (rds, _) = rds.counting();
            tokio::spawn(async move { look(&rds).await })
        })
        .collect();
    let start = Instant::now();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(start.elapsed().as_secs(), 10);
}
