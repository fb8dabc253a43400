//! What Route 53 is asked beside RDS: local RDS has no hosted zones, so no name of anybody's points at it.

use bytes::Bytes;
use http::{Response, header};

/// `ListHostedZones`.
pub(super) const HOSTED_ZONES: &str = "/2013-04-01/hostedzone";

pub(super) fn no_zones() -> Response<Bytes> {
    const BODY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <ListHostedZonesResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
        <HostedZones></HostedZones><Marker></Marker><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems>\
        </ListHostedZonesResponse>";
    let response = Response::builder()
        .header(header::CONTENT_TYPE, "text/xml")
        .body(Bytes::from_static(BODY.as_bytes()));
    response.unwrap_or_default()
}
