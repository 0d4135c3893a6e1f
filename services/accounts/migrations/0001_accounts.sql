-- Accounts, their people and the steps of their onboarding. All tables of resources have one shape: see store::Table.

create table accounts (
    tenant text not null,
    account text not null,
    -- Always empty: an account is named by the column before.
    id text not null,
    version bigint not null,
    state text not null,
    label text not null,
    happened_at bigint not null,
    created_at bigint not null,
    recorded_at bigint not null,
    deleted_at bigint,
    document bytea not null,
    constraint accounts_key primary key (tenant, account, id)
);

create table contacts (
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
    constraint contacts_key primary key (tenant, account, id)
);

create table milestones (
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
    constraint milestones_key primary key (tenant, account, id)
);
