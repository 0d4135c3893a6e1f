-- Orders, and what is known of the currencies they may be in. All tables of resources have one shape: see store::Table.

create table orders (
    tenant text not null,
    account text not null,
    id text not null,
    version bigint not null,
    state text not null,
    label text not null,
    -- When it was placed.
    happened_at bigint not null,
    created_at bigint not null,
    recorded_at bigint not null,
    deleted_at bigint,
    document bytea not null,
    constraint orders_key primary key (tenant, account, id)
);

-- The currency of each account. The feed does not tell of it.
create table account_currencies (
    tenant text not null,
    account text not null,
    -- Always empty: there is one for each account.
    id text not null,
    version bigint not null,
    -- The currency's code.
    state text not null,
    -- Who says so: "account", the accounts service; "order", an order that stands in it, which settles the matter.
    label text not null,
    happened_at bigint not null,
    created_at bigint not null,
    recorded_at bigint not null,
    deleted_at bigint,
    -- Always empty: the columns say it all.
    document bytea not null,
    constraint account_currencies_key primary key (tenant, account, id)
);

-- How far the feed of the accounts service has been followed. Written together with what was learned from it.
create table followed (
    -- Always empty: the feed is that of all tenants.
    tenant text not null,
    -- Always empty, too.
    account text not null,
    -- The number of the partition.
    id text not null,
    version bigint not null,
    state text not null,
    label text not null,
    happened_at bigint not null,
    created_at bigint not null,
    recorded_at bigint not null,
    deleted_at bigint,
    -- A rapport.common.v1.FeedPosition.
    document bytea not null,
    constraint followed_key primary key (tenant, account, id)
);
