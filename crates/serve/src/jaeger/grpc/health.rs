//! `grpc.health.v1.Health/Check`: whether a service is answered here. This port answers once the store is open, so
//! that whoever hears anything hears `SERVING`.

use codec::generated::grpc::health::v1::health_check_response::ServingStatus;
use codec::generated::grpc::health::v1::{HealthCheckRequest, HealthCheckResponse};
use grpc::code;

use super::status::Status;
use super::{Parts, Table, one};

pub(super) fn check(table: &Table, request: &HealthCheckRequest) -> Result<Parts, Status> {
    of(table.services, request)
}

/// The answer of a port that has these services.
pub(super) fn of(services: &[&str], request: &HealthCheckRequest) -> Result<Parts, Status> {
    let service = request.service.as_str();
    if !service.is_empty() && !services.contains(&service) {
        return Err(Status::new(code::NOT_FOUND, "unknown service"));
    }
    Ok(one(&HealthCheckResponse {
        status: ServingStatus::Serving.into(),
    }))
}
