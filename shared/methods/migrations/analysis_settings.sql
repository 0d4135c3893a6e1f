-- How each tenant wants its texts read. It has the shape of all tables of resources (see store::Table).

create table analysis_settings (
    tenant text not null,
    -- Always empty, as are the id, the state and the label: a tenant has one row.
    account text not null,
    id text not null,
    version bigint not null,
    state text not null,
    label text not null,
    happened_at bigint not null,
    created_at bigint not null,
    recorded_at bigint not null,
    deleted_at bigint,
    -- A message rapport.common.v1.AnalysisSettings.
    document bytea not null,
    constraint analysis_settings_key primary key (tenant, account, id)
);
