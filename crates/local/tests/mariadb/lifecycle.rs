//! A server's life: made, started, adopted, changed, killed, stopped, removed.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use nix::unistd::Uid;
use sqlx::{Connection, MySqlConnection};
use trapheus_local::engines::mariadb::{MariaDb, Product};
use trapheus_local::engines::{Engine, EngineError, Secret, StopMode};

use crate::support::{Place, ask, connect, engine, execute, kill_server, options, pid, socket};

#[tokio::test]
async fn the_master_has_the_rights_of_an_rds_master() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    let grants = ask(&spec, "SHOW GRANTS").await;
    for right in ["CREATE USER", "PROCESS", "TRIGGER", "WITH GRANT OPTION"] {
        assert!(grants.contains(right), "{right}: {grants}");
    }
    for right in [
        "ALL PRIVILEGES",
        "SUPER",
        "FILE",
        "SHUTDOWN",
        "READ_ONLY ADMIN",
    ] {
        assert!(!grants.contains(right), "{right}: {grants}");
    }
    execute(
        &spec,
        "CREATE DATABASE more; CREATE USER clerk IDENTIFIED BY 'x'; GRANT SELECT ON orders.* TO clerk;
         CREATE TABLE t (id int)",
    )
    .await;
    let users = "SELECT GROUP_CONCAT(User ORDER BY User) FROM mysql.global_priv";
    let expected = "admin,clerk,mariadb.sys,rdsadmin,rdsrepladmin";
    assert_eq!(ask(&spec, users).await, expected);
}

#[tokio::test]
async fn nobody_gets_in_without_the_password_or_as_the_control_plane() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    for (user, password) in [
        ("admin", "guess"),
        ("rdsadmin", ""),
        ("rdsrepladmin", ""),
        ("root", ""),
        ("mariadb.sys", ""),
        ("", ""),
    ] {
        let login = options(&spec).username(user).password(password);
        assert!(
            MySqlConnection::connect_with(&login).await.is_err(),
            "{user}"
        );
    }
}

/// Besides its Unix socket it listens for replicas, on loopback.
#[tokio::test]
async fn no_server_runs_as_root_or_listens_beyond_loopback() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    let process = std::fs::metadata(format!("/proc/{}", pid(&spec))).unwrap();
    assert_ne!(process.uid(), 0);
    if !Uid::effective().is_root() {
        assert_eq!(process.uid(), Uid::effective().as_raw());
    }
    let address: Ipv4Addr = ask(&spec, "SELECT @@bind_address").await.parse().unwrap();
    let port: u16 = ask(&spec, "SELECT @@port").await.parse().unwrap();
    assert!(address.is_loopback());
    let open = |address| tokio::net::TcpStream::connect(SocketAddr::from((address, port)));
    assert!(open(address).await.is_ok());
    assert!(open(Ipv4Addr::LOCALHOST).await.is_err());
}

/// What another control plane does after this one was killed: it has nothing but the specification.
#[tokio::test]
async fn a_server_that_runs_is_adopted() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    let before = pid(&spec);
    let mut client = connect(&spec).await;
    engine().start(&spec).await.unwrap();
    assert_eq!(pid(&spec), before);
    client.ping().await.unwrap();
}

#[tokio::test]
async fn a_killed_server_starts_again_with_everything_committed() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    execute(&spec, "CREATE TABLE t SELECT seq AS id FROM seq_1_to_1000").await;
    let mut busy = connect(&spec).await;
    let sleeping = tokio::spawn(async move {
        let _ = sqlx::query("SELECT SLEEP(600)").execute(&mut busy).await;
    });
    let killed = pid(&spec);
    kill_server(&spec);
    engine().start(&spec).await.unwrap();
    assert_ne!(pid(&spec), killed);
    assert_eq!(ask(&spec, "SELECT COUNT(*) FROM t").await, "1000");
    sleeping.await.unwrap();
}

#[tokio::test]
async fn a_stopped_server_is_gone_and_starts_again() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    execute(&spec, "CREATE TABLE t (id int)").await;
    for mode in [StopMode::Fast, StopMode::Immediate] {
        let process = format!("/proc/{}/cwd", pid(&spec));
        engine().stop(&spec, mode).await.unwrap();
        assert!(std::fs::metadata(process).is_err());
        assert!(!socket(&spec).exists());
        engine().stop(&spec, mode).await.unwrap();
        engine().start(&spec).await.unwrap();
        assert_eq!(ask(&spec, "SELECT COUNT(*) FROM t").await, "0");
    }
}

#[tokio::test]
async fn parameters_reach_the_server_at_once_or_wait_for_a_reboot() {
    let mut place = Place::new();
    let mut spec = place.server("one").await;
    let mut set = |name: &str, value: &str| {
        spec.parameters.insert(name.to_owned(), value.to_owned());
    };
    set("max_connections", "57");
    set("innodb_buffer_pool_size", "64M");
    set("sql_mode", "ANSI,TRADITIONAL");
    set("time_zone", "+02:00");
    set("slow_query_log", "1");
    set("back_log", "77");
    let pending = engine().reconfigure(&spec).await.unwrap();
    let pending: Vec<&String> = pending.parameters.iter().collect();
    assert_eq!(pending, ["back_log"]);
    assert_eq!(ask(&spec, "SELECT @@max_connections").await, "57");
    assert_eq!(
        ask(&spec, "SELECT @@innodb_buffer_pool_size").await,
        "67108864"
    );
    assert!(
        ask(&spec, "SELECT @@sql_mode")
            .await
            .contains("ANSI_QUOTES")
    );
    assert_eq!(ask(&spec, "SELECT @@global.time_zone").await, "+02:00");
    assert_eq!(ask(&spec, "SELECT @@slow_query_log").await, "1");
    assert_eq!(ask(&spec, "SELECT @@back_log").await, "80");

    engine().stop(&spec, StopMode::Fast).await.unwrap();
    engine().start(&spec).await.unwrap();
    assert_eq!(ask(&spec, "SELECT @@back_log").await, "77");
    let pending = engine().reconfigure(&spec).await.unwrap();
    assert!(pending.parameters.is_empty());

    spec.parameters.clear();
    let pending = engine().reconfigure(&spec).await.unwrap();
    let pending: Vec<&String> = pending.parameters.iter().collect();
    assert_eq!(pending, ["back_log"]);
    assert_eq!(ask(&spec, "SELECT @@max_connections").await, "151");
    assert_eq!(ask(&spec, "SELECT @@global.time_zone").await, "+00:00");
    assert_eq!(ask(&spec, "SELECT @@slow_query_log").await, "0");
}

#[tokio::test]
async fn a_value_that_the_server_refuses_changes_nothing_and_says_which() {
    let mut place = Place::new();
    let mut spec = place.server("one").await;
    for (name, value) in [
        ("max_connections", "abc"),
        ("no_such_parameter", "1"),
        ("binlog_format", "wrong"),
    ] {
        spec.parameters = [(name.to_owned(), value.to_owned())].into();
        let error = engine().reconfigure(&spec).await.unwrap_err();
        assert!(
            matches!(&error, EngineError::Parameters { reason } if reason.contains(name)),
            "{error}"
        );
    }
    engine().stop(&spec, StopMode::Fast).await.unwrap();
    let error = engine().start(&spec).await.unwrap_err();
    assert!(matches!(error, EngineError::Parameters { .. }), "{error}");
    spec.parameters.clear();
    engine().start(&spec).await.unwrap();
    assert_eq!(ask(&spec, "SELECT @@max_connections").await, "151");
}

/// Well formed, but what it asks for isn't there.
#[tokio::test]
async fn a_value_that_keeps_the_server_from_starting_is_an_error_of_the_parameters() {
    let mut place = Place::new();
    let mut spec = place.server("one").await;
    let too_much = ("innodb_buffer_pool_size".to_owned(), "900T".to_owned());
    engine().stop(&spec, StopMode::Fast).await.unwrap();
    spec.parameters = [too_much].into();
    let error = engine().start(&spec).await.unwrap_err();
    assert!(matches!(error, EngineError::Parameters { .. }), "{error}");
    spec.parameters.clear();
    engine().start(&spec).await.unwrap();
}

/// MariaDB stands in for MySQL, so it is given parameters that it doesn't have.
#[tokio::test]
async fn a_group_of_mysql_may_have_parameters_that_only_mysql_has() {
    let mut place = Place::new();
    let mut spec = place.spec("one").await;
    let engine = MariaDb::new(Product::MySql);
    spec.engine = "mysql".to_owned();
    spec.engine_version = engine.versions().await.unwrap().last().unwrap().clone();
    assert!(spec.engine_version.starts_with("8.0."));
    for (name, value) in [("innodb_dedicated_server", "0"), ("max_connections", "41")] {
        spec.parameters.insert(name.to_owned(), value.to_owned());
    }
    engine.create(&spec).await.unwrap();
    engine.start(&spec).await.unwrap();
    assert_eq!(ask(&spec, "SELECT @@max_connections").await, "41");
    assert!(ask(&spec, "SELECT VERSION()").await.contains("MariaDB"));
    let (name, value) = ("binlog_format".to_owned(), "wrong".to_owned());
    spec.parameters.insert(name, value);
    let error = engine.reconfigure(&spec).await.unwrap_err();
    assert!(matches!(error, EngineError::Parameters { .. }), "{error}");
}

#[tokio::test]
async fn a_new_password_replaces_the_old_one() {
    let mut place = Place::new();
    let mut spec = place.server("one").await;
    let old = options(&spec);
    spec.master_password = Secret::new("second \"'\\ $$ password");
    engine().set_master_password(&spec).await.unwrap();
    assert!(MySqlConnection::connect_with(&old).await.is_err());
    connect(&spec).await;
    let log = std::fs::read_to_string(spec.directory.join("server.log")).unwrap();
    assert!(!log.contains("second"), "a password is in the log");
}

#[tokio::test]
async fn a_repeated_create_leaves_the_first_one_alone() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    execute(&spec, "CREATE TABLE t (id int)").await;
    engine().create(&spec).await.unwrap();
    assert_eq!(ask(&spec, "SELECT COUNT(*) FROM t").await, "0");
}

#[tokio::test]
async fn half_a_directory_is_made_anew() {
    let mut place = Place::new();
    let spec = place.spec("one").await;
    std::fs::create_dir_all(spec.directory.join("data.partial/mysql")).unwrap();
    std::fs::write(spec.directory.join("data.partial/ibdata1"), "x").unwrap();
    engine().create(&spec).await.unwrap();
    engine().start(&spec).await.unwrap();
    connect(&spec).await;
}

#[tokio::test]
async fn a_removed_server_leaves_no_process_and_no_file() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    let process = format!("/proc/{}/cwd", pid(&spec));
    engine().remove(&spec.directory).await.unwrap();
    assert!(std::fs::metadata(process).is_err());
    assert!(!spec.directory.exists());
    assert!(!socket(&spec).parent().unwrap().exists());
    engine().remove(&spec.directory).await.unwrap();
}

#[tokio::test]
async fn a_directory_that_the_server_cannot_reach_is_an_error_that_says_where() {
    if !Uid::effective().is_root() {
        return;
    }
    let mut place = Place::new();
    let mut spec = place.spec("one").await;
    let closed = place.path("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    spec.directory = closed.join("server");
    let error = engine().create(&spec).await.unwrap_err();
    assert!(
        matches!(&error, EngineError::Directory { reason, .. } if reason.contains(closed.as_str())),
        "{error}"
    );
}
