"""For the board's interpreter: two application partitions in files, the bootloader between them, `esp32.Partition`.

Behaves like the port: blocks of 4096 bytes, erased when they are written as a whole; `set_boot` takes an image only by
its first byte and length; a new image runs once and is left at the next start unless it was marked as valid.
"""

BLOCK = 4096
MAGIC = 0xE9


class Chip:
    def __init__(self, folder, flash, blocks=8):  # noqa: C901  a class of the port inside
        self.flash = flash  # whose power it shares
        self.files = [folder + "/ota_0", folder + "/ota_1"]
        for name in self.files:
            with open(name, "wb") as file:
                for _ in range(blocks):
                    file.write(b"\xff" * BLOCK)
        self.running = self.chosen = 0
        self.state = ["valid", "undefined"]
        self.blocks = blocks
        self.written = []
        chip = self

        class Partition:
            BOOT = 0
            RUNNING = 1

            def __init__(self, which):
                self.number = which.number if isinstance(which, Partition) else chip.running

            def get_next_update(self):
                other = Partition(self)
                other.number = 1 - chip.running
                return other

            def ioctl(self, operation, _argument):
                return {4: chip.blocks, 5: BLOCK}[operation]

            def readblocks(self, number, room):
                with open(chip.files[self.number], "rb") as file:
                    file.seek(number * BLOCK)
                    file.readinto(room)

            def writeblocks(self, number, data):
                assert self.number != chip.running, "it runs"
                assert len(data) % BLOCK == 0
                assert 0 <= number < chip.blocks
                cut = chip.flash.cut()
                size = len(data) // 2 if cut and chip.flash.torn else 0 if cut else len(data)
                chip.written.append(number)
                with open(chip.files[self.number], "r+b") as file:
                    file.seek(number * BLOCK)
                    file.write(memoryview(data)[:size])
                if cut:
                    chip.flash.stop()

            def set_boot(self):
                with open(chip.files[self.number], "rb") as file:
                    if file.read(1)[0] != MAGIC:
                        raise OSError(-5379, "ESP_ERR_OTA_VALIDATE_FAILED")
                if chip.flash.cut():
                    chip.flash.stop()
                chip.chosen = self.number
                chip.state[self.number] = "new"

            @classmethod
            def mark_app_valid_cancel_rollback(cls):
                if chip.flash.cut():
                    chip.flash.stop()
                chip.state[chip.running] = "valid"

        self.Partition = Partition

    def start(self):
        """The bootloader at a restart; gives the partition that runs."""
        if self.state[self.chosen] == "pending":
            self.state[self.chosen] = "aborted"
            self.chosen = 1 - self.chosen
        elif self.state[self.chosen] == "new":
            self.state[self.chosen] = "pending"
        self.running = self.chosen
        return self.running
