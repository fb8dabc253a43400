//! The one place that tells failures apart: every code that RDS sends, and what the network does.

use aws_sdk_rds::config::http::HttpResponse;
use aws_sdk_rds::error::{ProvideErrorMetadata, SdkError};

use crate::error::{Class, Error};

/// Every code on the wire that this program knows, by what it means.
///
/// The suffix `Fault` is irregular: these are the codes of the wire, not the names of the
/// SDK's types, and `StorageTypeNotSupported` has been met in both spellings.
static CODES: &[(Class, &[&str])] = &[
    (
        Class::NotFound,
        &[
            "BlueGreenDeploymentNotFoundFault",
            "DBClusterAutomatedBackupNotFoundFault",
            "DBClusterEndpointNotFoundFault",
            "DBClusterNotFoundFault",
            "DBClusterRoleNotFound",
            "DBClusterSnapshotNotFoundFault",
            "DBInstanceAutomatedBackupNotFound",
            "DBInstanceNotFound",
            "DBInstanceRoleNotFound",
            "DBProxyEndpointNotFoundFault",
            "DBProxyNotFoundFault",
            "DBProxyTargetGroupNotFoundFault",
            "DBProxyTargetNotFoundFault",
            "DBShardGroupNotFound",
            "DBSnapshotNotFound",
            "DBSnapshotTenantDatabaseNotFoundFault",
            "ExportTaskNotFound",
            "GlobalClusterNotFoundFault",
            "IntegrationNotFoundFault",
            "ResourceNotFoundFault",
            "TenantDatabaseNotFound",
        ],
    ),
    (
        Class::ReferenceNotFound,
        &[
            "AuthorizationNotFound",
            "BackupPolicyNotFoundFault",
            "CertificateNotFound",
            "CustomAvailabilityZoneNotFound",
            "DBCapacityReservationNotFound",
            "DBClusterParameterGroupNotFound",
            "DBParameterGroupNotFound",
            "DBSecurityGroupNotFound",
            "DBSubnetGroupNotFoundFault",
            "DefaultVpcDoesNotExist",
            "DomainNotFoundFault",
            "IamRoleNotFound",
            "InvalidS3BucketFault",
            "OptionGroupNotFoundFault",
        ],
    ),
    (
        Class::AlreadyExists,
        &[
            "DBClusterAlreadyExistsFault",
            "DBClusterEndpointAlreadyExistsFault",
            "DBClusterRoleAlreadyExists",
            "DBClusterSnapshotAlreadyExistsFault",
            "DBInstanceAlreadyExists",
            "DBInstanceRoleAlreadyExists",
            "DBProxyTargetAlreadyRegisteredFault",
            "DBSnapshotAlreadyExists",
            "ExportTaskAlreadyExists",
            "GlobalClusterAlreadyExistsFault",
            "TenantDatabaseAlreadyExists",
        ],
    ),
    (
        Class::WrongStateNow,
        &[
            "InvalidDBCapacityReservationState",
            "InvalidDBClusterEndpointStateFault",
            "InvalidDBClusterSnapshotStateFault",
            "InvalidDBClusterStateFault",
            "InvalidDBInstanceAutomatedBackupState",
            "InvalidDBInstanceState",
            "InvalidDBProxyStateFault",
            "InvalidDBSecurityGroupState",
            "InvalidDBShardGroupState",
            "InvalidDBSnapshotState",
            "InvalidDBSubnetGroupStateFault",
            "InvalidExportSourceState",
            "InvalidExportTaskStateFault",
            "InvalidGlobalClusterStateFault",
            "InvalidOptionGroupStateFault",
            "InvalidResourceStateFault",
        ],
    ),
    (
        Class::Throttled,
        &[
            "BandwidthLimitExceeded",
            "EC2ThrottledException",
            "LimitExceededException",
            "PriorRequestNotComplete",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestThrottledException",
            "SlowDown",
            "ThrottledException",
            "Throttling",
            "ThrottlingException",
            "TooManyRequestsException",
            "TransactionInProgressException",
        ],
    ),
    (
        Class::NoCapacity,
        &[
            "InsufficientAvailableIPsInSubnetFault",
            "InsufficientDBClusterCapacityFault",
            "InsufficientDBInstanceCapacity",
            "InsufficientStorageClusterCapacity",
            "ProvisionedIopsNotAvailableInAZFault",
        ],
    ),
    (
        Class::QuotaExceeded,
        &[
            "DBClusterAutomatedBackupQuotaExceededFault",
            "DBClusterEndpointQuotaExceededFault",
            "DBClusterQuotaExceededFault",
            "DBClusterRoleQuotaExceeded",
            "DBInstanceAutomatedBackupQuotaExceeded",
            "DBInstanceRoleQuotaExceeded",
            "GlobalClusterQuotaExceededFault",
            "InstanceQuotaExceeded",
            "SharedSnapshotQuotaExceeded",
            "SnapshotQuotaExceeded",
            "StorageQuotaExceeded",
            "TenantDatabaseQuotaExceeded",
        ],
    ),
    (
        Class::Denied,
        &[
            "AccessDenied",
            "AccessDeniedException",
            "ExpiredToken",
            "ExpiredTokenException",
            "IamRoleMissingPermissions",
            "IncompleteSignature",
            "InvalidClientTokenId",
            "KMSKeyNotAccessibleFault",
            "NotAuthorized",
            "OptInRequired",
            "RequestExpired",
            "SignatureDoesNotMatch",
            "UnauthorizedOperation",
            "UnrecognizedClientException",
            "VpcEncryptionControlViolationException",
        ],
    ),
    (
        Class::Invalid,
        &[
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "DBSubnetGroupNotAllowedFault",
            "DBUpgradeDependencyFailure",
            "InvalidDBSubnetGroupFault",
            "InvalidExportOnly",
            "InvalidParameterCombination",
            "InvalidParameterValue",
            "InvalidRestoreFault",
            "InvalidSubnet",
            "InvalidVPCNetworkStateFault",
            "MissingParameter",
            "NetworkTypeNotSupported",
            "PointInTimeRestoreNotEnabled",
            "StorageTypeNotAvailableFault",
            "StorageTypeNotSupported",
            "StorageTypeNotSupportedFault",
            "ValidationError",
        ],
    ),
    (
        Class::Unavailable,
        &[
            "ClientUnavailable",
            "InternalError",
            "InternalFailure",
            "InternalServerError",
            "RequestTimeout",
            "RequestTimeoutException",
            "ServiceUnavailable",
        ],
    ),
    (
        Class::NotImplemented,
        &[
            "InvalidAction",
            "NotImplemented",
            "UnknownOperationException",
        ],
    ),
];

/// Says what a code on the wire means; [`Class::Unknown`] for one that is not listed.
pub fn class_of_code(code: &str) -> Class {
    let known = CODES.iter().find(|(_, codes)| codes.contains(&code));
    known.map_or(Class::Unknown, |(class, _)| *class)
}

/// Classifies what the SDK returned for `operation`.
pub(crate) fn error_of_call<E>(operation: &'static str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let metadata = error.as_service_error().map(ProvideErrorMetadata::meta);
    let code = metadata
        .and_then(|metadata| metadata.code())
        .map(str::to_owned);
    let message = metadata
        .and_then(|metadata| metadata.message())
        .map(str::to_owned);
    let class = match (&code, &error) {
        (Some(code), _) => match (class_of_code(code), error.raw_response()) {
            // An unknown code of a failing server says nothing about the request.
            (Class::Unknown, Some(response)) => class_of_status(response),
            (class, _) => class,
        },
        (None, SdkError::ConstructionFailure(_)) => Class::Invalid,
        (None, SdkError::DispatchFailure(_)) if lacks_credentials(&error) => Class::Denied,
        (None, _) => error
            .raw_response()
            .map_or(Class::Unavailable, class_of_status),
    };
    let message = message.unwrap_or_else(|| explain(&error));
    Error {
        class,
        operation,
        code,
        message,
    }
}

/// Says what happened to a call that RDS itself says nothing about, in a line for people: the
/// SDK's own account of it is a page of internals.
fn explain<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: std::error::Error + 'static,
{
    if let Some(response) = error.raw_response() {
        let status = response.status().as_u16();
        return format!("the server answers HTTP {status}, and not as RDS does");
    }
    let error: &(dyn std::error::Error + 'static) = error;
    let cause = std::iter::successors(Some(error), |error| error.source()).last();
    let cause = cause.map(ToString::to_string).unwrap_or_default();
    format!("no answer: {cause}")
}

/// Reads an answer without a known code, as proxies and emulators give it.
fn class_of_status(response: &HttpResponse) -> Class {
    let is_page = response
        .headers()
        .get("content-type")
        .is_some_and(|kind| kind.starts_with("text/html"));
    match response.status().as_u16() {
        501 => Class::NotImplemented,
        // RDS answers in XML. A page for people comes from a server that has no such operation.
        404 | 405 | 500 if is_page => Class::NotImplemented,
        429 => Class::Throttled,
        401 | 403 => Class::Denied,
        408 => Class::Unavailable,
        400..=499 => Class::Unknown,
        _ => Class::Unavailable,
    }
}

/// Tells whether the call was never sent because nobody says who is calling.
fn lacks_credentials(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .any(|error| error.is::<aws_credential_types::provider::error::CredentialsError>())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// `operation: codes`, as the service model lists them.
    static FACTS: &str = include_str!("../facts/error-codes.txt");

    #[test]
    fn every_code_of_the_service_has_a_class() {
        let lines = FACTS.lines().filter(|line| !line.starts_with('#'));
        let codes: Vec<&str> = lines
            .flat_map(|line| {
                line.split_once(": ")
                    .expect("operation: codes")
                    .1
                    .split(' ')
            })
            .collect();
        assert!(codes.len() > 400, "the facts hold {} codes", codes.len());
        let unknown: Vec<&&str> = codes
            .iter()
            .filter(|code| class_of_code(code) == Class::Unknown)
            .collect();
        assert!(unknown.is_empty(), "no class for {unknown:?}");
    }

    #[test]
    fn no_code_has_two_classes() {
        let mut seen = BTreeMap::new();
        for (class, codes) in CODES {
            for code in *codes {
                assert_eq!(seen.insert(code, class), None, "{code} is listed twice");
            }
        }
    }

    #[test]
    fn what_the_names_promise_holds() {
        for (class, codes) in CODES {
            for code in *codes {
                if code.contains("QuotaExceeded") {
                    assert_eq!(class, &Class::QuotaExceeded, "{code}");
                }
                if code.contains("AlreadyExists") {
                    assert_eq!(class, &Class::AlreadyExists, "{code}");
                }
                if code.contains("NotFound") {
                    assert!(
                        matches!(class, Class::NotFound | Class::ReferenceNotFound),
                        "{code}"
                    );
                }
            }
        }
        assert_eq!(class_of_code("SomethingNew"), Class::Unknown);
    }
}
