-- Interactions, commitments and rivals' offers. All tables of resources have one shape: see store::Table.

create table interactions (
    tenant text not null,
    account text not null,
    id text not null,
    version bigint not null,
    state text not null,
    -- The thread.
    label text not null,
    happened_at bigint not null,
    created_at bigint not null,
    recorded_at bigint not null,
    deleted_at bigint,
    document bytea not null,
    constraint interactions_key primary key (tenant, account, id)
);

create table commitments (
    tenant text not null,
    account text not null,
    id text not null,
    version bigint not null,
    state text not null,
    label text not null,
    happened_at bigint not null,
    created_at bigint not null,
    recorded_at bigint not null,
    deleted_at bigint,
    document bytea not null,
    constraint commitments_key primary key (tenant, account, id)
);

create table competitor_offers (
    tenant text not null,
    account text not null,
    id text not null,
    version bigint not null,
    -- The outcome.
    state text not null,
    label text not null,
    happened_at bigint not null,
    created_at bigint not null,
    recorded_at bigint not null,
    deleted_at bigint,
    document bytea not null,
    constraint competitor_offers_key primary key (tenant, account, id)
);
