//! A behavior that sends the file `photo` of its plan, alone and in a form: what a host's tests run.

use vespeiro_guest::prelude::*;

const WHOLE: Route = Route::post("/whole", "upload");
const FORM: Route = Route::post("/form", "upload");

async fn journey(me: &Me) -> Result<()> {
    me.call(WHOLE).file("photo").send().await?;
    let form =
        Multipart::new()
            .text("name", "Ana")
            .file_as("photo", "photo", "me.jpg", "image/jpeg");
    me.call(FORM).multipart(form).send().await?;
    Ok(())
}

behavior! { name: "uploads", version: "0.1.0", routes: [WHOLE, FORM], journey: journey }
