-- Feedback, themes and improvements. All tables of resources have one shape: see store::Table.

create table feedback (
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
    constraint feedback_key primary key (tenant, account, id)
);

create table themes (
    tenant text not null,
    -- Always empty: themes belong to the tenant as a whole.
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
    constraint themes_key primary key (tenant, account, id)
);

create table improvements (
    tenant text not null,
    -- Always empty, as for themes.
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
    constraint improvements_key primary key (tenant, account, id)
);
