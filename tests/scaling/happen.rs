//! What happens to the processes of a cell, and to its database.

use std::time::Duration;

use crate::{
    process::{State, Step},
    scenarios::Happening,
    simulation::Simulation,
};

impl Simulation<'_> {
    /// Lets something happen now.
    pub(crate) fn happen(&mut self, happening: &Happening) {
        match *happening {
            Happening::Killed(count) => self.pick(count, |simulation, number| {
                simulation.processes[number].state = State::Gone;
                simulation.database.unlock(number, simulation.now);
            }),
            Happening::MachineLost(count) => self.pick(count, |simulation, number| {
                simulation.processes[number].state = State::Gone;
                simulation.database.unlock(number, simulation.now + simulation.settings.silence);
            }),
            Happening::Hangs(count, time) => self.pick(count, |simulation, number| {
                let process = &mut simulation.processes[number];
                process.state = State::Hangs(simulation.now + time);
                let given_up = simulation.now + simulation.settings.silence;
                process.writing.iter_mut().for_each(|(_, until)| *until = given_up);
                simulation.database.unlock(number, given_up);
            }),
            Happening::Leaves(count) => self.pick(count, Self::leave),
            Happening::OldestLeaves => {
                if let Some(number) = self.processes.iter().position(|process| process.runs() && !process.leaves) {
                    self.leave(number);
                }
            }
            Happening::Joins(count) => (0..count).for_each(|_| {
                let after = self.chance.between((Duration::ZERO, Duration::from_secs(1)));
                self.join(after);
            }),
            Happening::DatabaseAway(time, refuses) => self.database.away = Some((self.now + time, refuses)),
        }
        self.database.moved = true;
    }

    fn leave(&mut self, number: usize) {
        self.processes[number].leaves = true;
        if matches!(self.processes[number].step, Step::Wake) {
            self.go_at(number, self.now);
        }
    }

    /// Lets something happen to some processes that run.
    fn pick(&mut self, count: usize, happens: impl Fn(&mut Self, usize)) {
        let running = |number: &usize| self.processes[*number].runs() && !self.processes[*number].leaves;
        let mut numbers: Vec<usize> = (0..self.processes.len()).filter(running).collect();
        self.chance.shuffle(&mut numbers);
        numbers.into_iter().take(count).for_each(|number| happens(self, number));
    }
}
