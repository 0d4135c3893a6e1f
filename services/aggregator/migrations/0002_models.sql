-- Which model assesses an account follows from its segment; each standing was made with a model.

-- The segment of the account that answers, as its resource says; empty while there is none or it stands no more.
alter table ledgers add column segment text not null default '';

-- The id of the model; empty for those made before models could be chosen.
alter table standings add column model text not null default '';

-- What this service owns itself. All tables of documents have one shape: see store::Table.

create table models (
    tenant text not null,
    -- Always empty: models are the tenant's.
    account text not null,
    -- The id that the document gives itself.
    id text not null,
    version bigint not null,
    state text not null,
    label text not null,
    happened_at bigint not null,
    created_at bigint not null,
    recorded_at bigint not null,
    deleted_at bigint,
    document bytea not null,
    constraint models_key primary key (tenant, account, id)
);

create table model_choices (
    tenant text not null,
    -- Always empty: choices are the tenant's.
    account text not null,
    -- The segment; empty for all segments without a choice.
    id text not null,
    version bigint not null,
    state text not null,
    label text not null,
    happened_at bigint not null,
    created_at bigint not null,
    recorded_at bigint not null,
    -- When the choice was taken back.
    deleted_at bigint,
    -- The id of the model.
    document bytea not null,
    constraint model_choices_key primary key (tenant, account, id)
);

create table stated_views (
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
    constraint stated_views_key primary key (tenant, account, id)
);

-- The accounts that were erased: no view of them is taken any more.
create table erased_accounts (
    tenant text not null,
    account text not null,
    -- Always empty: one note for each account.
    id text not null,
    version bigint not null,
    state text not null,
    label text not null,
    happened_at bigint not null,
    created_at bigint not null,
    recorded_at bigint not null,
    deleted_at bigint,
    document bytea not null,
    constraint erased_accounts_key primary key (tenant, account, id)
);
