-- Rivals' offers are few, and looked for in all accounts at once.
create index sources_offers on sources (tenant, account) where kind = 'competitor_offer';

-- Fits of the models of prediction to a tenant's portfolio. All tables of documents have one shape: see store::Table.

create table fits (
    tenant text not null,
    -- Always empty: fits are the tenant's.
    account text not null,
    id text not null,
    version bigint not null,
    -- "pending" until it has ended; then "succeeded", "failed" or "cancelled".
    state text not null,
    label text not null,
    -- When it ended; 0 until then.
    happened_at bigint not null,
    created_at bigint not null,
    recorded_at bigint not null,
    deleted_at bigint,
    document bytea not null,
    constraint fits_key primary key (tenant, account, id)
);

create table fit_choices (
    tenant text not null,
    -- Always empty: the choice is the tenant's.
    account text not null,
    -- Always empty: there is one.
    id text not null,
    version bigint not null,
    state text not null,
    label text not null,
    happened_at bigint not null,
    created_at bigint not null,
    recorded_at bigint not null,
    -- When the choice was taken back.
    deleted_at bigint,
    -- The id of the fit.
    document bytea not null,
    constraint fit_choices_key primary key (tenant, account, id)
);
