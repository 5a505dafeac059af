//! What points to the explanation of a refusal finds it: who named a data folder has to name it again.

use weir_testing::Project;
use weir_testing::clients::{self, Kind};

use crate::support::{World, output, river};

#[test]
fn a_data_folder_that_was_typed_stands_in_what_is_to_be_typed() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let registry = river();
    for (data, weir) in [
        (Some("d"), "weir --data d"),
        (Some("d ata"), "weir --data 'd ata'"),
        // What a shell would have to be told in another way is left to who typed it.
        (Some("d'ata"), "weir"),
        (None, "weir"),
    ] {
        let world = World::new();
        let project = Project::new()
            .file(".npmrc", format!("registry={}\n", registry.url()))
            .dependency("gauge-reader", "1.2.0");
        let mut command = world.wrapper(&npm, &project);
        if let Some(data) = data {
            command.args(["--data", data]);
        }
        let run = output(command.args(["npm", "install"]));
        // In what npm shows of the answer, and in the summary.
        let told = format!("{weir} explain w-");
        let times = run.stderr.matches(&told).count();
        assert!(times >= 2, "{data:?}: {}", run.text());
        let all = run.stderr.matches(" explain w-").count();
        assert_eq!(times, all, "{data:?}: {}", run.text());
        // No line of a log in the middle of what the client says.
        assert!(!run.stderr.contains("WARN"), "{}", run.text());
    }
}
