//! A fault's scenarios: one for each lane.

/// `NAME => FUNCTION`: a scenario for each lane. The second is called `NAME-on-real-nixos`.
macro_rules! on_both_lanes {
    ($($name:literal => $run:path),+ $(,)?) => {
        &[$(
            $crate::harness::Scenario::new($name, |lab| {
                $run(&$crate::faults::case::Case::new(lab, deploy_lab::systems::Lane::StandIn)?)
            }),
            $crate::harness::Scenario::new(concat!($name, "-on-real-nixos"), |lab| {
                $run(&$crate::faults::case::Case::new(lab, deploy_lab::systems::Lane::Real)?)
            })
            .unless(|| deploy_lab::systems::REAL.missing()),
        )+]
    };
}
pub(crate) use on_both_lanes;
