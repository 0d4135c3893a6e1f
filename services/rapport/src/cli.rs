//! The command line: what can be asked, and who answers.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{
    client::ConnectArgs,
    commands::{
        analysis, analyze, assess, backtest, compare, export, fit, fits, health, import, improvements, models,
        opportunities, portfolio, simulate, themes, timeline, verify, view, watch,
    },
    demo::{self, DemoArgs},
    exit::{self, Error, Exit},
    output,
    serve::{self, ServeArgs},
};

/// Customer dynamics: turns what passes between a provider and its customers into assessments of their relationship.
#[derive(Debug, Parser)]
#[command(name = "rapport", version, after_help = exit::HELP, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    connect: ConnectArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run all five services, or those named.
    Serve(Box<ServeArgs>),
    /// Start the suite on temporary data, load real sample data, print assessments and keep serving.
    Demo(DemoArgs),
    /// Import files of accounts, orders, interactions or feedback.
    Import(import::ImportArgs),
    /// Show and change how the suite reads texts, correct what it read, and read again.
    Analysis(analysis::AnalysisArgs),
    /// Tell what texts say: language, sentiment, emotions. Needs no server.
    Analyze(analyze::AnalyzeArgs),
    /// Assess one account, from both sides, with the reasons.
    Assess(assess::AssessArgs),
    /// Export what is known of every account, one row each.
    Export(export::ExportArgs),
    /// Tell what moved one account's scores between two times.
    Compare(compare::CompareArgs),
    /// Tell what one account's assessment would be with hypothetical evidence, or another model.
    Simulate(simulate::SimulateArgs),
    /// Tell what would strengthen the ties with an account, or with those of the portfolio.
    Opportunities(opportunities::OpportunitiesArgs),
    /// Tell the shape of the portfolio, how its cohorts went on ordering, and what it will probably bring.
    Portfolio(portfolio::PortfolioArgs),
    /// Learn from the portfolio what its customers will probably do next.
    Fit(fit::FitArgs),
    /// List, show, cancel and choose what was learned.
    Fits(fits::FitsArgs),
    /// Judge predictions of a past time by what followed.
    Backtest(backtest::BacktestArgs),
    /// Tell what customers talk about, and which of it grows.
    Themes(themes::ThemesArgs),
    /// Propose, ship and measure improvements, and tell those who asked for them.
    Improvements(improvements::ImprovementsArgs),
    /// List, show, record, choose and try the models that assessments are made with.
    Models(models::ModelsArgs),
    /// Record how a person sees an account, beside the computed views; list and withdraw such views.
    View(view::ViewArgs),
    /// List everything that passed between the two parties, latest first.
    Timeline(timeline::TimelineArgs),
    /// Tell what moves in the assessments, as it moves.
    Watch(watch::WatchArgs),
    /// Recompute every ledger from its evidence and report differences.
    Verify(verify::VerifyArgs),
    /// Ask whether the suite is serving.
    Health(health::HealthArgs),
}

impl Cli {
    /// Does what was asked and says by the exit code how that went.
    pub fn run(self) -> ExitCode {
        if let Command::Serve(args) = self.command {
            return serve::run(*args);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        match runtime.map_err(Error::from).and_then(|runtime| runtime.block_on(self.ask())) {
            Ok(exit) => exit.into(),
            Err(error) if error.is_broken_pipe() => Exit::Ok.into(),
            Err(error) => {
                output::note(&format!("rapport: {error}"));
                error.exit().into()
            }
        }
    }

    async fn ask(self) -> Result<Exit, Error> {
        let connect = self.connect;
        match self.command {
            Command::Serve(_) => Ok(Exit::Ok),
            Command::Demo(args) => demo::run(args, connect.lang).await,
            Command::Import(args) => import::run(&connect, args).await,
            Command::Analysis(args) => analysis::run(&connect, args).await,
            Command::Analyze(args) => analyze::run(&args),
            Command::Assess(args) => assess::run(&connect, args).await,
            Command::Export(args) => export::run(&connect, args).await,
            Command::Compare(args) => compare::run(&connect, args).await,
            Command::Simulate(args) => simulate::run(&connect, args).await,
            Command::Opportunities(args) => opportunities::run(&connect, args).await,
            Command::Portfolio(args) => portfolio::run(&connect, args).await,
            Command::Fit(args) => fit::run(&connect, args).await,
            Command::Fits(args) => fits::run(&connect, args).await,
            Command::Backtest(args) => backtest::run(&connect, args).await,
            Command::Themes(args) => themes::run(&connect, args).await,
            Command::Improvements(args) => improvements::run(&connect, args).await,
            Command::Models(args) => models::run(&connect, args).await,
            Command::View(args) => view::run(&connect, args).await,
            Command::Timeline(args) => timeline::run(&connect, args).await,
            Command::Watch(args) => watch::run(&connect, args).await,
            Command::Verify(args) => verify::run(&connect, args).await,
            Command::Health(args) => health::run(&connect, args).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn predictions_are_asked_for_with_days_that_make_sense() {
        let read = |line: &str| Cli::try_parse_from(line.split(' ')).map(|_| ());
        for good in [
            "fit",
            "fit --horizon-days 182 --at 2025-12-31 --no-wait",
            "fits list",
            "fits show",
            "fits use f1",
            "fits use --latest",
            "backtest --cut 2011-09-09 --horizon 91 --plot b.svg",
            "backtest --cut 2011-09-09T00:00:00Z --horizon-days 730",
            "portfolio --quick",
            "portfolio --horizon-days 3650 --plot p.svg",
            "assess acme --horizon-days 1",
            "export assessments --horizon-days 91",
            "simulate acme --without-signal orders/o-1=delivery_promise --settled orders/o-2=conflict --horizon 91",
        ] {
            assert!(read(&format!("rapport {good}")).is_ok(), "{good}: {:?}", read(&format!("rapport {good}")).err());
        }
        for wrong in [
            "fit --horizon-days 6",
            "fit --horizon-days 731",
            "fits use",
            "fits use f1 --latest",
            "fits cancel",
            "backtest --cut 2011-09-09",
            "backtest --horizon 91",
            "backtest --cut soon --horizon 91",
            "backtest --cut 2011-09-09 --horizon 731",
            "portfolio --quick --horizon-days 91",
            "portfolio --quick --plot p.svg",
            "assess acme --horizon-days 0",
            "export assessments --horizon-days 3651",
            "simulate acme --without-signal orders/o-1",
        ] {
            let error = read(&format!("rapport {wrong}")).expect_err(wrong);
            assert!(error.use_stderr(), "{wrong}: {error}");
        }
    }

    #[test]
    fn global_flags_may_follow_the_command() {
        let cli = Cli::try_parse_from(["rapport", "assess", "acme", "--tenant", "retail"]).expect("good usage");
        assert_eq!(cli.connect.tenant, "retail");
    }
}
