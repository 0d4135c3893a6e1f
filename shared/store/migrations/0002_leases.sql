-- Who works on which partition, where several processes share one database.

-- The processes that live. Each counts its beats; one whose beats stop is taken for dead by the others.
create table replicas (
    id text not null,
    beats bigint not null,
    constraint replicas_key primary key (id)
);

-- Who holds each partition.
create table leases (
    feed_partition bigint not null,
    -- The id of a process; empty if nobody holds it.
    holder text not null,
    -- Grows whenever the partition changes hands, so that a holder that was taken for dead cannot write any more.
    generation bigint not null,
    -- Grows with each transaction that writes under the lease, so that others see that there is something new.
    writes bigint not null,
    constraint leases_key primary key (feed_partition)
);

insert into leases (feed_partition, holder, generation, writes) select feed_partition, '', 0, 0 from feed_positions;
