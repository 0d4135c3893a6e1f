//! The RPC handlers: open the request, act, answer.

use contracts::orders::v1::{orders_service_server::OrdersService, *};
use futures_util::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use methods::{
    Call, ImportMessage, ImportRow, ListAsk, Methods, StateFilter, Undoing, Violations, Watched, WatchedChange,
};
use runtime::{Fault, Tenant};
use store::Key;
use tonic::{Request, Response, Status, Streaming};

use crate::{
    check, currency,
    order::{self, ORDER},
    transitions::{self, Arrival},
};

type Answers<M> = BoxStream<'static, Result<M, Status>>;

/// What imports of orders are taken back with.
static UNDOING: Undoing = Undoing { kinds: &[&ORDER], settle: Some(currency::settle) };

/// Serves orders.
pub(crate) struct Service {
    pub(crate) methods: Methods,
}

#[tonic::async_trait]
impl OrdersService for Service {
    async fn create_order(
        &self,
        request: Request<CreateOrderRequest>,
    ) -> Result<Response<CreateOrderResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.create(&ORDER, &call, &ask.parent, &ask.order_id, ask.order, &ask.request_id).await?;
        Ok(Response::new(CreateOrderResponse { order: Some(done.resource), freshness: done.freshness }))
    }

    async fn get_order(&self, request: Request<GetOrderRequest>) -> Result<Response<GetOrderResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (order, freshness) = self.methods.get(&ORDER, &call, &ask.name, ask.show_deleted).await?;
        Ok(Response::new(GetOrderResponse { order: Some(order), freshness }))
    }

    async fn batch_get_orders(
        &self,
        request: Request<BatchGetOrdersRequest>,
    ) -> Result<Response<BatchGetOrdersResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (orders, freshness) = self.methods.batch_get(&ORDER, &call, &ask.names).await?;
        Ok(Response::new(BatchGetOrdersResponse { orders, freshness }))
    }

    async fn list_orders(&self, request: Request<ListOrdersRequest>) -> Result<Response<ListOrdersResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let page = ListAsk {
            parent: ask.parent,
            page_size: ask.page_size,
            page_token: ask.page_token,
            show_deleted: ask.show_deleted,
            state: StateFilter::new(ask.state, OrderState::as_str_name),
            from: ask.place_time_from,
            before: ask.place_time_before,
            time_field: "place_time",
            ..ListAsk::default()
        };
        let (orders, next_page_token, freshness) = self.methods.list(&ORDER, &call, page).await?;
        Ok(Response::new(ListOrdersResponse { orders, next_page_token, freshness }))
    }

    async fn update_order(
        &self,
        request: Request<UpdateOrderRequest>,
    ) -> Result<Response<UpdateOrderResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.update(&ORDER, &call, ask.order, ask.update_mask, &ask.request_id).await?;
        Ok(Response::new(UpdateOrderResponse { order: Some(done.resource), freshness: done.freshness }))
    }

    async fn delete_order(
        &self,
        request: Request<DeleteOrderRequest>,
    ) -> Result<Response<DeleteOrderResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.set_deleted(&ORDER, &call, &ask.name, &ask.etag, &ask.request_id, true).await?;
        Ok(Response::new(DeleteOrderResponse { order: Some(done.resource), freshness: done.freshness }))
    }

    async fn undelete_order(
        &self,
        request: Request<UndeleteOrderRequest>,
    ) -> Result<Response<UndeleteOrderResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let related = |tenant: &Tenant, key: &Key| vec![currency::key(tenant, &key.account)];
        let done = self.methods.set_deleted_with(&ORDER, &call, target, false, related, order::can_stand).await?;
        Ok(Response::new(UndeleteOrderResponse { order: Some(done.resource), freshness: done.freshness }))
    }

    async fn ship_order(&self, request: Request<ShipOrderRequest>) -> Result<Response<ShipOrderResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        check_request(&ask.name, &ask.request_id, |violations| violations.time("ship_time", ask.ship_time.as_ref()))?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self
            .methods
            .transition(&ORDER, &call, target, move |order, now| transitions::ship(order, ask.ship_time, now))
            .await?;
        Ok(Response::new(ShipOrderResponse { order: Some(done.resource), freshness: done.freshness }))
    }

    async fn deliver_order(
        &self,
        request: Request<DeliverOrderRequest>,
    ) -> Result<Response<DeliverOrderResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        check_request(&ask.name, &ask.request_id, |violations| {
            violations.time("deliver_time", ask.deliver_time.as_ref());
            check::arrived(ask.delivered_quantity, ask.damaged_quantity, violations);
        })?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let arrival = Arrival {
            deliver_time: ask.deliver_time,
            delivered_quantity: ask.delivered_quantity,
            damaged_quantity: ask.damaged_quantity,
            papers_correct: ask.papers_correct,
        };
        let done = self
            .methods
            .transition(&ORDER, &call, target, move |order, now| transitions::deliver(order, arrival, now))
            .await?;
        Ok(Response::new(DeliverOrderResponse { order: Some(done.resource), freshness: done.freshness }))
    }

    async fn pay_order(&self, request: Request<PayOrderRequest>) -> Result<Response<PayOrderResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        check_request(&ask.name, &ask.request_id, |violations| {
            violations.time("pay_time", ask.pay_time.as_ref());
            check::positive("amount", ask.amount.as_ref(), violations);
        })?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self
            .methods
            .transition(&ORDER, &call, target, move |order, now| transitions::pay(order, ask.pay_time, ask.amount, now))
            .await?;
        Ok(Response::new(PayOrderResponse { order: Some(done.resource), freshness: done.freshness }))
    }

    async fn return_order(
        &self,
        request: Request<ReturnOrderRequest>,
    ) -> Result<Response<ReturnOrderResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let order_return = ask.order_return.unwrap_or_default();
        check_request(&ask.name, &ask.request_id, |violations| {
            violations.within("order_return", |violations| check::order_return(&order_return, violations));
        })?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self
            .methods
            .transition(&ORDER, &call, target, move |order, now| transitions::take_back(order, order_return, now))
            .await?;
        Ok(Response::new(ReturnOrderResponse { order: Some(done.resource), freshness: done.freshness }))
    }

    async fn refund_order(
        &self,
        request: Request<RefundOrderRequest>,
    ) -> Result<Response<RefundOrderResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        check_request(&ask.name, &ask.request_id, |violations| {
            violations.integer("return_index", ask.return_index.into(), 0, check::MOST_RETURNS as i64 - 1);
            violations.time("refund_time", ask.refund_time.as_ref());
        })?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self
            .methods
            .transition(&ORDER, &call, target, move |order, now| {
                transitions::refund(order, ask.return_index, ask.refund_time, now)
            })
            .await?;
        Ok(Response::new(RefundOrderResponse { order: Some(done.resource), freshness: done.freshness }))
    }

    async fn cancel_order(
        &self,
        request: Request<CancelOrderRequest>,
    ) -> Result<Response<CancelOrderResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let cancellation = ask.cancellation.unwrap_or_default();
        check_request(&ask.name, &ask.request_id, |violations| {
            violations.within("cancellation", |violations| check::cancellation(&cancellation, violations));
        })?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self
            .methods
            .transition(&ORDER, &call, target, move |order, now| transitions::cancel(order, cancellation, now))
            .await?;
        Ok(Response::new(CancelOrderResponse { order: Some(done.resource), freshness: done.freshness }))
    }

    type ImportOrdersStream = Answers<ImportOrdersResponse>;

    async fn import_orders(
        &self,
        request: Request<Streaming<ImportOrdersRequest>>,
    ) -> Result<Response<Self::ImportOrdersStream>, Status> {
        let methods = self.methods.clone();
        let answers = self.methods.import(request, move |tenant, message: ImportOrdersRequest| {
            let rows = message.rows.into_iter().map(|row| import_row(&methods, tenant, row)).collect();
            ImportMessage { batch_id: message.batch_id, rows }
        })?;
        Ok(Response::new(Box::pin(answers.map_ok(Into::into))))
    }

    type UndoOrdersImportStream = Answers<UndoOrdersImportResponse>;

    async fn undo_orders_import(
        &self,
        request: Request<UndoOrdersImportRequest>,
    ) -> Result<Response<Self::UndoOrdersImportStream>, Status> {
        let (call, ask) = Call::enter(request)?;
        let answers = self.methods.undo_import(&UNDOING, &call, ask.batch_id).await?;
        Ok(Response::new(Box::pin(answers.map_ok(Into::into))))
    }

    type WatchOrdersStream = Answers<WatchOrdersResponse>;

    async fn watch_orders(
        &self,
        request: Request<WatchOrdersRequest>,
    ) -> Result<Response<Self::WatchOrdersStream>, Status> {
        let scope = runtime::tenant_or_all(&request)?;
        let watched = self.methods.watch(scope, request.into_inner().into()).await?;
        Ok(Response::new(Box::pin(watched.map(|watched| Ok(told(watched?)?)))))
    }
}

/// Checks what is wrong with a transition's request whatever stands, to answer all of it at once.
fn check_request(name: &str, request_id: &str, more: impl FnOnce(&mut Violations)) -> Result<(), Fault> {
    let mut violations = Violations::default();
    ORDER.check_target(name, request_id, &mut violations);
    more(&mut violations);
    violations.finish()
}

fn import_row(methods: &Methods, tenant: &Tenant, row: OrdersRow) -> ImportRow {
    match row.resource {
        Some(orders_row::Resource::Order(row)) => {
            ImportRow { name: row.name.clone(), command: methods.import_command(&ORDER, tenant, row) }
        }
        None => ImportRow::empty(),
    }
}

/// What a watcher is told.
pub(crate) fn told(Watched { changes, changes_through }: Watched) -> Result<WatchOrdersResponse, Fault> {
    let changes = changes.into_iter().map(change).collect::<Result<_, _>>()?;
    Ok(WatchOrdersResponse { changes, changes_through })
}

fn change(change: WatchedChange) -> Result<OrdersChange, Fault> {
    let resource = match change.row.key.table {
        table if table == ORDER.table.name => orders_change::Resource::Order(ORDER.load(&change.row)?),
        other => return Err(Fault::log_internal(&store::Error::Damaged(format!("a change of `{other}`")))),
    };
    Ok(OrdersChange { stamp: Some(change.stamp), resource: Some(resource) })
}
