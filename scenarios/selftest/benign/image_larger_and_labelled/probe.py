"""It is 20 MiB larger, has an owner's label, and names its user."""

from probing import differs, given

MORE_BYTES = 20 * 1024 * 1024

told = given()

with told.engine() as engine:
    entry, healthy = (engine.images.get(each).attrs for each in (told.image_id, told.healthy_image_id))
    larger = entry["Size"] - healthy["Size"] >= MORE_BYTES
    labelled, labelled_before = ("owner" in each["Config"]["Labels"] for each in (entry, healthy))
    named, named_before = (each["Config"]["User"] == "app" for each in (entry, healthy))
    differs(
        larger and labelled and named,
        labelled_before or named_before,
        f"it has {MORE_BYTES} bytes more, an owner, and the user app",
    )
