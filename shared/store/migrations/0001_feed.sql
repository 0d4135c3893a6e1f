-- What every service's database has beside its own tables.

-- How far each partition of the change feed has come. A write transaction locks the rows of the partitions it touches,
-- in ascending order, before it reads anything: so positions follow commit order and have no gaps.
create table feed_positions (
    feed_partition bigint not null,
    position bigint not null,
    -- When the last change was recorded. The next is never recorded earlier, whatever the clocks of two processes say.
    recorded_at bigint not null,
    constraint feed_positions_key primary key (feed_partition)
);

-- A row must exist before it can be locked. There are 64 partitions for ever.
with recursive partitions (feed_partition) as (
    select 0 union all select feed_partition + 1 from partitions where feed_partition < 63
)
insert into feed_positions (feed_partition, position, recorded_at) select feed_partition, 0, 0 from partitions;

-- The changes of one transaction in one partition, as one document: a few large rows read and write several times
-- faster than many small ones. The positions first_position..last_position are those of the changes inside, in order.
create table changes (
    feed_partition bigint not null,
    last_position bigint not null,
    first_position bigint not null,
    recorded_at bigint not null,
    document bytea not null,
    constraint changes_key primary key (feed_partition, last_position)
);

-- Answers to requests that carried a request id, so that a repeated request is answered as the first time.
create table requests (
    tenant text not null,
    request_id text not null,
    -- Tells another request with the same id from a retry.
    fingerprint bytea not null,
    recorded_at bigint not null,
    -- The resource that was answered with, so that erasing it finds its answers.
    table_name text not null,
    account text not null,
    id text not null,
    feed_partition bigint not null,
    position bigint not null,
    document bytea not null,
    constraint requests_key primary key (tenant, request_id)
);

-- For dropping old answers.
create index requests_recorded_at on requests (recorded_at);
-- For dropping the answers that name an erased resource.
create index requests_resource on requests (tenant, account, id);
