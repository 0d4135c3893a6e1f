-- Which accounts each transaction touched, for the other processes that share this database: what they hold of these in
-- memory is outdated. Only the latest are kept; who missed some lets go of everything.
create table touched (
    feed_partition bigint not null,
    -- Which of the transactions that wrote under the partition's lease.
    writes bigint not null,
    -- The accounts of the partition.
    document bytea not null,
    constraint touched_key primary key (feed_partition, writes)
);
