//! Clients that other people wrote, against local RDS and real PostgreSQL: nothing in them knows
//! that this isn't AWS. The stories are Python, in `tests/python`.

mod common {
    pub(crate) mod account;
    pub(crate) mod background;
    pub(crate) mod local;
    pub(crate) mod python;
    pub(crate) mod trapheus;
}

use common::local::LocalRds;
use common::python;

fn tell(story: &str) {
    let local = LocalRds::up();
    python::unittest(story, &[("TRAPHEUS_ENDPOINT_URL", &local.endpoint_url)]);
    local.down();
}

#[test]
fn the_watch_over_answers_sees_what_boto3_forgives() {
    python::unittest("test_service_model", &[]);
}

#[test]
fn the_attribute_tables_forget_nothing_that_botocore_knows() {
    python::unittest("test_attributes", &[]);
}

#[test]
fn boto3_puts_a_database_back_behind_its_name() {
    tell("clients_boto3.Life");
}

#[test]
fn boto3_finds_every_detail_as_the_service_model_has_it() {
    tell("clients_boto3.Details");
}

#[test]
fn boto3_finds_around_a_database_what_aws_has_there() {
    tell("clients_surroundings");
}

#[test]
fn boto3_attaches_to_a_database_what_it_does_on_aws() {
    tell("clients_attachments");
}

#[test]
fn boto3_puts_a_cluster_back_behind_its_name() {
    tell("clients_clusters");
}

#[test]
fn boto3_follows_a_database_and_takes_it_back() {
    tell("clients_copies");
}

#[test]
fn the_aws_cli_puts_a_database_back_behind_its_name() {
    tell("clients_aws_cli");
}
