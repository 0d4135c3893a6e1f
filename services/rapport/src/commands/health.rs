//! `rapport health`: asks whether the suite is serving.

use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::{
    client::{ConnectArgs, Connection},
    exit::{Error, Exit},
    output,
};

/// What `health` takes.
#[derive(Clone, Debug, clap::Args)]
pub struct HealthArgs {
    /// A service by its full name, such as rapport.orders.v1.OrdersService; the whole process if left out.
    #[arg(default_value = "")]
    service: String,
}

pub(crate) async fn run(connect: &ConnectArgs, args: HealthArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let request = HealthCheckRequest { service: args.service };
    let answer = HealthClient::new(connection.service()).check(connection.request(request)).await?.into_inner();
    output::line(answer.status().as_str_name())?;
    Ok(if answer.status() == ServingStatus::Serving { Exit::Ok } else { Exit::Unavailable })
}
