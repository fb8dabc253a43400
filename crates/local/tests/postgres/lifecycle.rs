//! A server's life: made, started, adopted, changed, killed, stopped, removed.

use std::os::unix::fs::MetadataExt;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use sqlx::{Connection, PgConnection};
use trapheus_local::engines::postgres::Postgres;
use trapheus_local::engines::{Engine, EngineError, Secret, StopMode};

use crate::support::{Place, ask, connect, execute, options, pid};

#[tokio::test]
async fn the_master_has_the_rights_of_an_rds_master() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    let rights = ask(
        &spec,
        "SELECT concat_ws(' ', rolsuper, rolcreatedb, rolcreaterole,
                pg_has_role('rds_superuser', 'member'), pg_has_role('pg_monitor', 'member'),
                pg_has_role('pg_signal_backend', 'member'))
           FROM pg_roles WHERE rolname = current_user",
    )
    .await;
    assert_eq!(rights, "f t t t t t");
    let owner = ask(
        &spec,
        "SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = 'orders'",
    )
    .await;
    assert_eq!(owner, "admin");
    execute(&spec, "CREATE ROLE clerk LOGIN; CREATE TABLE t (id int)").await;
    execute(&spec, "CREATE DATABASE more").await;
}

#[tokio::test]
async fn nobody_gets_in_without_the_password_or_as_the_control_plane() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    let wrong = options(&spec, "orders").password("guess");
    assert!(PgConnection::connect_with(&wrong).await.is_err());
    let internal = options(&spec, "postgres").username("rdsadmin").password("");
    assert!(PgConnection::connect_with(&internal).await.is_err());
    let internal_database = options(&spec, "rdsadmin");
    assert!(
        PgConnection::connect_with(&internal_database)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn no_server_runs_as_root() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    let process = std::fs::metadata(format!("/proc/{}", pid(&spec))).unwrap();
    assert_ne!(process.uid(), 0);
    if !Uid::effective().is_root() {
        assert_eq!(process.uid(), Uid::effective().as_raw());
    }
}

/// What another control plane does after this one was killed: it has nothing but the specification.
#[tokio::test]
async fn a_server_that_runs_is_adopted() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    let before = pid(&spec);
    let mut client = connect(&spec).await;
    Postgres::new().start(&spec).await.unwrap();
    assert_eq!(pid(&spec), before);
    client.ping().await.unwrap();
}

/// After the kill the server's children may still be there, and its process file is.
#[tokio::test]
async fn a_killed_server_starts_again_with_everything_committed() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    execute(
        &spec,
        "CREATE TABLE t AS SELECT generate_series(1, 1000) AS id",
    )
    .await;
    let mut busy = connect(&spec).await;
    let sleeping = tokio::spawn(async move {
        let _ = sqlx::query("SELECT pg_sleep(600)").execute(&mut busy).await;
    });
    kill(Pid::from_raw(pid(&spec)), Signal::SIGKILL).unwrap();
    Postgres::new().start(&spec).await.unwrap();
    assert_eq!(ask(&spec, "SELECT count(*)::text FROM t").await, "1000");
    sleeping.await.unwrap();
}

#[tokio::test]
async fn a_stopped_server_is_gone_and_starts_again() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    execute(&spec, "CREATE TABLE t (id int)").await;
    let engine = Postgres::new();
    for mode in [StopMode::Fast, StopMode::Immediate] {
        let process = format!("/proc/{}/cwd", pid(&spec));
        engine.stop(&spec, mode).await.unwrap();
        assert!(std::fs::metadata(process).is_err());
        assert!(!options(&spec, "orders").get_socket().unwrap().exists());
        engine.stop(&spec, mode).await.unwrap();
        engine.start(&spec).await.unwrap();
        assert_eq!(ask(&spec, "SELECT count(*)::text FROM t").await, "0");
    }
}

/// The file says that a server runs, with the number of a process that is something else: it must neither be adopted
/// nor be killed.
#[tokio::test]
async fn a_stranger_under_the_old_number_is_left_alone() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    let engine = Postgres::new();
    engine.stop(&spec, StopMode::Fast).await.unwrap();
    let mut stranger = tokio::process::Command::new("sleep")
        .arg("600")
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let file = spec.directory.join("data/postmaster.pid");
    let number = stranger.id().unwrap();
    std::fs::write(
        &file,
        format!("{number}\n/nowhere\n0\n5432\n\n\n\nready   \n"),
    )
    .unwrap();
    engine.stop(&spec, StopMode::Fast).await.unwrap();
    assert_eq!(stranger.try_wait().unwrap(), None);
    if Uid::effective().is_root() {
        // PostgreSQL itself takes a file with a foreign user's living process for stale.
        engine.start(&spec).await.unwrap();
        assert_ne!(pid(&spec), i32::try_from(number).unwrap());
    }
    assert_eq!(stranger.try_wait().unwrap(), None);
}

#[tokio::test]
async fn parameters_reach_the_server_at_once_or_wait_for_a_reboot() {
    let mut place = Place::new();
    let mut spec = place.server("one").await;
    let engine = Postgres::new();
    let mut set = |name: &str, value: &str| {
        spec.parameters.insert(name.to_owned(), value.to_owned());
    };
    set("work_mem", "8192");
    set("max_connections", "57");
    set("rds.force_ssl", "1");
    let pending = engine.reconfigure(&spec).await.unwrap();
    assert_eq!(
        pending.parameters.iter().collect::<Vec<_>>(),
        ["max_connections"]
    );
    assert_eq!(
        ask(&spec, "SELECT current_setting('work_mem')").await,
        "8MB"
    );
    assert_ne!(
        ask(&spec, "SELECT current_setting('max_connections')").await,
        "57"
    );

    engine.stop(&spec, StopMode::Fast).await.unwrap();
    engine.start(&spec).await.unwrap();
    assert_eq!(
        ask(&spec, "SELECT current_setting('max_connections')").await,
        "57"
    );
    assert!(
        engine
            .reconfigure(&spec)
            .await
            .unwrap()
            .parameters
            .is_empty()
    );

    spec.parameters.clear();
    let pending = engine.reconfigure(&spec).await.unwrap();
    assert_eq!(
        pending.parameters.iter().collect::<Vec<_>>(),
        ["max_connections"]
    );
    assert_eq!(
        ask(&spec, "SELECT current_setting('work_mem')").await,
        "4MB"
    );
}

#[tokio::test]
async fn a_value_that_the_server_refuses_changes_nothing_and_says_which() {
    let mut place = Place::new();
    let mut spec = place.server("one").await;
    let engine = Postgres::new();
    for (name, value) in [("work_mem", "plenty"), ("no_such_parameter", "1")] {
        spec.parameters = [(name.to_owned(), value.to_owned())].into();
        let error = engine.reconfigure(&spec).await.unwrap_err();
        assert!(
            matches!(&error, EngineError::Parameters { reason } if reason.contains(name)),
            "{error}"
        );
    }
    engine.stop(&spec, StopMode::Fast).await.unwrap();
    let error = engine.start(&spec).await.unwrap_err();
    assert!(matches!(error, EngineError::Parameters { .. }), "{error}");
    spec.parameters.clear();
    engine.start(&spec).await.unwrap();
    assert_eq!(
        ask(&spec, "SELECT current_setting('work_mem')").await,
        "4MB"
    );
}

/// Each value is fine by itself; that the machine can't do it is seen at the start only.
#[tokio::test]
async fn a_value_that_keeps_the_server_from_starting_is_an_error_of_the_parameters() {
    let mut place = Place::new();
    let mut spec = place.server("one").await;
    let engine = Postgres::new();
    for (name, value) in [
        ("shared_buffers", "1000000000"),
        ("shared_preload_libraries", "no_such_library"),
    ] {
        spec.parameters = [(name.to_owned(), value.to_owned())].into();
        let pending = engine.reconfigure(&spec).await.unwrap();
        assert!(pending.parameters.contains(name));
        engine.stop(&spec, StopMode::Fast).await.unwrap();
        let error = engine.start(&spec).await.unwrap_err();
        assert!(matches!(error, EngineError::Parameters { .. }), "{error}");
        spec.parameters.clear();
        engine.start(&spec).await.unwrap();
    }
}

#[tokio::test]
async fn a_new_password_replaces_the_old_one() {
    let mut place = Place::new();
    let mut spec = place.server("one").await;
    let old = options(&spec, "orders");
    spec.master_password = Secret::new("second \"'\\ $$ password");
    Postgres::new().set_master_password(&spec).await.unwrap();
    assert!(PgConnection::connect_with(&old).await.is_err());
    connect(&spec).await;
    let log = std::fs::read_to_string(spec.directory.join("server.log")).unwrap();
    assert!(!log.contains("second"), "a password is in the log");
}

#[tokio::test]
async fn a_repeated_create_leaves_the_first_one_alone() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    execute(&spec, "CREATE TABLE t (id int)").await;
    Postgres::new().create(&spec).await.unwrap();
    assert_eq!(ask(&spec, "SELECT count(*)::text FROM t").await, "0");
}

#[tokio::test]
async fn half_a_directory_is_made_anew() {
    let mut place = Place::new();
    let spec = place.spec("one").await;
    std::fs::create_dir_all(spec.directory.join("data.partial/base")).unwrap();
    std::fs::write(spec.directory.join("data.partial/PG_VERSION"), "1").unwrap();
    Postgres::new().create(&spec).await.unwrap();
    Postgres::new().start(&spec).await.unwrap();
    connect(&spec).await;
}

#[tokio::test]
async fn a_removed_server_leaves_no_process_and_no_file() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    let process = format!("/proc/{}/cwd", pid(&spec));
    let engine = Postgres::new();
    let socket = options(&spec, "orders").get_socket().unwrap().to_owned();
    engine.remove(&spec.directory).await.unwrap();
    assert!(std::fs::metadata(process).is_err());
    assert!(!spec.directory.exists());
    assert!(!socket.exists());
    engine.remove(&spec.directory).await.unwrap();
}

#[tokio::test]
async fn a_version_that_is_not_installed_is_an_error_with_a_command() {
    let mut place = Place::new();
    let mut spec = place.spec("one").await;
    spec.engine_version = "3.1".to_owned();
    let error = Postgres::new().create(&spec).await.unwrap_err();
    assert!(matches!(error, EngineError::NotInstalled { .. }), "{error}");
    assert!(!spec.directory.exists());
}

#[tokio::test]
async fn a_directory_that_the_server_cannot_reach_is_an_error_that_says_where() {
    use std::os::unix::fs::PermissionsExt;
    if !Uid::effective().is_root() {
        return;
    }
    let mut place = Place::new();
    let mut spec = place.spec("one").await;
    let closed = place.path("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    spec.directory = closed.join("server");
    let error = Postgres::new().create(&spec).await.unwrap_err();
    assert!(
        matches!(&error, EngineError::Directory { reason, .. } if reason.contains(closed.as_str())),
        "{error}"
    );
}
